"""One run at a time in an output folder, from whichever clone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import clones
from damage import last_errors, path_of
from download import server
from project import Project, Started

FEW = {"use": ["val", "devkit"], "products": ["imagefolder", "audit"]}


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


Clones = tuple[Project, Project, Gate]


def looked_at(project: Project) -> clones.Snapshot:
    """What lies in its output folder, less what a run writes that only looks."""
    return clones.snapshot(project.results, "logs", "archives", "verified", "benchmarks")


def at_rest(project: Project) -> clones.Snapshot:
    """The same of a run that waits for an archive, when it has made all that needs none: the label files come last."""
    while not list((project.results / "state" / "labels").glob("*.json")):
        time.sleep(0.1)
    before, now = None, looked_at(project)
    while before != now:  # Snakemake may still give the files of the last job the present time
        time.sleep(2)
        before, now = now, looked_at(project)
    return now


@pytest.fixture
def two(finished: Project, tmp_path: Path) -> Iterator[Clones]:
    """Two clones with one output folder and one of archives, in which one is missing, and where to download that."""
    first = clones.owned(finished, tmp_path / "first", FEW)
    archives, results = first.archives.rename(tmp_path / "archives"), tmp_path / "shared results"
    first.archives, first.results = archives, results
    with server.running(path_of(first, "val").read_bytes()) as served:
        path_of(first, "val").unlink()
        gate = Gate(served)
        places = {"output_dir": str(results), "archives_dir": str(archives)}
        first.configure(places | {"archives": {"val": {"url": f"{served.url}/val.tar"}}})
        (tmp_path / "second").mkdir()
        second = first.twin(tmp_path / "second")
        second.archives, second.results = archives, results
        second.configure({"imagefolder": {"val_dirs": "index"}})
        try:
            yield first, second, gate
        finally:
            gate.open()


def folders(products: dict[str, str]) -> dict[str, str]:
    """Those of these products that both clones make."""
    return {path: digest for path, digest in products.items() if path.startswith(("imagefolder/val/", "labels/"))}


def test_other_runs_end_at_once_and_looking_is_not_refused(two: Clones, finished: Project) -> None:
    first, second, gate = two
    run = first.start()
    try:
        gate.wait_for_a_client(run)
        before = at_rest(first)
        refused, locked = second.run(), first.run()
        looks = [second.run(*look).code for look in (("-n",), ("space",), ("--list",))]
        assert run.runs
        now = looked_at(first)
        gate.open()
        end = run.end()
    finally:
        run.kill()
    for other in (refused, locked):
        assert other.code != 0
        assert other.rules == set()
        assert "Traceback" not in other.terminal
        (error,) = last_errors(other)  # that of the same clone is refused by Snakemake
        assert str(first.results) in error
        assert str(run.process.pid) in error, "who holds it"
    assert looks == [0, 0, 0]
    whole = {path: it for path, it in before.items() if not path.endswith(".partial")}
    assert {path: now.get(path) for path in whole} == whole
    assert end.code == 0, end.terminal
    assert folders(first.products()) == folders(finished.products())
    assert first.run().nothing_done


def test_after_the_holder_was_killed_another_clone_can_run(two: Clones, own_other: dict[str, str]) -> None:
    first, second, gate = two
    run = first.start()
    try:
        gate.wait_for_a_client(run)
    finally:
        run.kill()
    gate.open()
    second.succeed()
    assert folders(second.products()) == folders(own_other)
