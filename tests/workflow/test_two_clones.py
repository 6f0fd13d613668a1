"""One run at a time in an output folder, from whichever clone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import clones
from damage import last_errors, path_of
from download import server
from project import Project, Started

FreshlyMade = Callable[[Project], dict[str, str]]

FEW = {"use": ["train", "val", "devkit"], "products": ["imagefolder", "tfrecord", "tfrecord_index", "audit"]}


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
        second.configure({"tfrecord": {"label_base": 0}})
        try:
            yield first, second, gate
        finally:
            gate.open()


def test_a_run_of_another_clone_ends_at_once_and_says_who_works_in_the_output_folder(
    two: Clones, freshly_made: FreshlyMade
) -> None:
    first, second, gate = two
    run = first.start()
    try:
        gate.wait_for_a_client(run)
        before = clones.snapshot(first.results, "logs", "archives", "verified", "benchmarks")
        refused = second.run()
        assert run.runs
        assert refused.code != 0
        assert refused.rules == set()
        (error,) = last_errors(refused)
        assert str(first.results) in error
        assert str(run.process.pid) in error, "who holds it"
        assert "Traceback" not in refused.terminal
        now = clones.snapshot(first.results, "logs", "archives", "verified", "benchmarks")
        whole = {path: it for path, it in before.items() if not path.endswith(".partial")}
        assert {path: now.get(path) for path in whole} == whole
        gate.open()
        end = run.end()
    finally:
        run.kill()
    assert end.code == 0, end.terminal
    assert first.products() == freshly_made(first)
    assert first.run().nothing_done


def test_looking_from_another_clone_is_not_refused(two: Clones) -> None:
    first, second, gate = two
    run = first.start()
    try:
        gate.wait_for_a_client(run)
        for look in (("-n",), ("space",), ("--list",)):
            assert second.run(*look).code == 0
        assert run.runs
    finally:
        run.kill()


def test_after_the_holder_was_killed_another_clone_can_run(two: Clones, freshly_made: FreshlyMade) -> None:
    first, second, gate = two
    run = first.start()
    try:
        gate.wait_for_a_client(run)
    finally:
        run.kill()
    gate.open()
    second.succeed()
    assert second.products() == freshly_made(second)
