"""The workflow as a module of another one, which calls what belongs to the start and the end of a run, or does not."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clones import wnids
from damage import expect_clear_end, half, last_errors, path_of
from download import server
from imagenet_prep import atomic, filesystem
from project import CHECKOUT, SMALL, Project, Started, merged

PAGE = CHECKOUT / "docs" / "running.md"
CALLS = re.compile(r"^on\w+:\n +imagenet\.on\w+\(\)\n+", re.MULTILINE)
FEW: dict[str, Any] = {"synthetic": None, "use": ["val", "devkit"], "products": ["imagefolder"]}


def of_the_page() -> str:
    """The Snakefile that the page shows."""
    section = PAGE.read_text().partition("\n## From another workflow\n")[2].partition("\n## ")[0]
    (snakefile,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(snakefile)


def without_calls() -> str:
    """The same, which does not call what the module does at the start and the end of a run."""
    text, found = CALLS.subn("", of_the_page())
    assert found == 3
    return text


def renamed() -> str:
    """The same, with other names for the rules."""
    text = of_the_page().replace("exclude all, whole_dataset", "exclude all, whole_dataset as imagenet_*")
    return re.sub(r"\brules\.(\w+)", r"rules.imagenet_\1", text)


class Outer(Project):
    """A folder with another workflow, which has this one in a folder of its own."""

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        inner = "imagenet-prep"
        profile = ["--workflow-profile", f"{inner}/profiles/default"]
        overlay = ["--configfile", f"{inner}/config/config.yaml", "test.yaml"]
        return [*super().command(*arguments, cores=cores)[:-3], *profile, *overlay]

    def write(self, snakefile: str) -> None:
        """Set the outer workflow."""
        (self.folder / "Snakefile").write_text(snakefile)


Make = Callable[[str], Outer]


@pytest.fixture
def make(finished: Project, tmp_path: Path) -> Make:
    """Makes an outer workflow in a folder of this name, with the archives of the finished project as its own."""

    def outer(name: str) -> Outer:
        inner = tmp_path / name / "imagenet-prep"
        inner.mkdir(parents=True)
        config = Project(inner, SMALL).folder / "test.yaml"
        project = Outer(tmp_path / name)
        shutil.copytree(inner / "config", project.folder / "config")  # where tests look for the names of archives
        project.write_config(merged(yaml.safe_load(config.read_text()), FEW | {"classes": wnids(finished)}))
        shutil.copytree(finished.archives, project.archives)
        project.write(of_the_page())
        return project

    return outer


@pytest.fixture
def outer(make: Make) -> Outer:
    return make("outer")


def expect_as_in(finished: Project, outer: Outer) -> None:
    """The labels and the validation images are those of a project without a module."""
    made, expected = outer.products(), finished.products()
    below = ("labels/", "imagefolder/val/")
    assert {path: it for path, it in made.items() if path.startswith(below)} == {
        path: it for path, it in expected.items() if path.startswith(below)
    }


def test_the_workflow_of_the_page_makes_what_is_asked_for(outer: Outer, finished: Project) -> None:
    listed = outer.folder / "training" / "wnids.txt"
    outer.write(without_calls())
    outer.succeed()
    expect_as_in(finished, outer)
    assert listed.read_text().split() == wnids(finished)
    assert outer.run().nothing_done
    outer.write(of_the_page())
    assert outer.run().nothing_done
    outer.configure({"classes": wnids(finished)[1:3]})
    outer.succeed()
    assert wnids(outer) == wnids(finished)[1:3]
    assert listed.read_text().split() == wnids(finished)[1:3]
    assert outer.run().nothing_done


@pytest.fixture
def limited(tmp_path: Path) -> tuple[str, ...]:
    """What to run a command with, so that a quota leaves it 100 KiB where this test writes."""
    place = os.fspath(filesystem.file_system_at(tmp_path).place)
    if place not in filesystem._mounts():
        pytest.skip("what is mounted here is not known")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "quota").write_text(f'#!/bin/sh\necho "{filesystem._mounts()[place][1]} 900 0 1000 5 0 0"\n')
    (programs / "quota").chmod(0o755)
    return ("env", f"PATH={programs}:{os.environ['PATH']}")


@pytest.mark.parametrize("workflow", [of_the_page, renamed])
def test_too_little_space_begins_no_job(outer: Outer, limited: tuple[str, ...], workflow: Callable[[], str]) -> None:
    outer.write(workflow())
    run = outer.run(prefix=limited)
    expect_clear_end(outer, run, "there is too little space within your quota")
    assert run.rules == set()


@pytest.mark.parametrize("workflow", [of_the_page, renamed])
def test_a_failure_is_the_last_line_and_leaves_nothing_half(outer: Outer, workflow: Callable[[], str]) -> None:
    outer.write(workflow())
    left = atomic.partial_path(outer.results / "labels" / "classes.csv")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    val = path_of(outer, "val")
    val.write_bytes(half(val.read_bytes()))
    run = outer.run()
    expect_clear_end(outer, run, f"archives/{val.name}")
    assert run.last_line.startswith("ERROR ")
    assert not left.exists()


class Gate:
    """A server of an archive that lets nobody have it before it is opened."""

    def __init__(self, served: server.Server) -> None:
        self.served = served
        self._opened = threading.Event()
        served.always = self._wait

    def _wait(self, handler: server.Handler) -> None:
        self._opened.wait(120)
        server.good(handler)

    def wait_for_a_client(self, run: Started) -> None:
        while not self.served.requests:
            assert run.runs, run.end().terminal
            time.sleep(0.01)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def gate(finished: Project) -> Iterator[Gate]:
    """Where to download the validation images."""
    with server.running(path_of(finished, "val").read_bytes()) as served:
        gate = Gate(served)
        try:
            yield gate
        finally:
            gate.open()


def test_a_second_workflow_is_refused_with_the_calls_and_without(make: Make, gate: Gate, finished: Project) -> None:
    first, second = make("first"), make("second")
    path_of(first, "val").unlink()
    first.configure({"archives": {"val": {"url": f"{gate.served.url}/val.tar"}}})
    second.configure({"output_dir": str(first.results), "classes": wnids(finished)[1:3]})
    run = first.start()
    try:
        gate.wait_for_a_client(run)
        refused = second.run()
        second.write(without_calls())
        # Nothing that the first one has made by now: Snakemake would take it away before the job is refused.
        beside = second.run("tfrecord_validation")
        assert run.runs
        gate.open()
        end = run.end()
    finally:
        run.kill()
    assert refused.code != 0
    (error,) = last_errors(refused)
    assert f"process {run.process.pid}" in error
    assert refused.rules == set()
    assert beside.code != 0
    assert "another run is at work here" in beside.terminal
    assert "This job is not one of that run" in beside.terminal
    assert beside.rules == set()
    assert end.code == 0, end.terminal
    expect_as_in(finished, first)
