"""Fixtures that every test may ask for."""

from __future__ import annotations

import compileall
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from project import SMALL, Project

CHECKOUT = Path(__file__).resolve().parent.parent
GROUP = 61003  # a number that no account has


# Where whole runs are made: first, so that at the end there is work left for every process.
SLOW = ("workflow", "faults", "publish", "report", "test_benchmarks.py")
# Of these a long one, which does not wait for the finished project that another process makes meanwhile.
FIRST = ("test_real_input.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first."""
    items.sort(key=lambda item: ({item.path.name, item.path.parent.name}.isdisjoint(SLOW), item.path.name not in FIRST))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the library once: the copies that tests make of it take that along."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        compileall.compile_dir(CHECKOUT / "workflow" / "imagenet_prep", quiet=2)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files of ILSVRC2012, which are no part of the repository: ../shared/data beside it."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs real ILSVRC2012 files in ../shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project in which everything is made; look at it, and copy it before changing anything.

    It is made by a user who keeps others out, in a folder that passes on its group.
    """
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent  # one for all the processes of this test run
    folder = shared / "finished"
    with open(shared / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made = Project(folder, SMALL)
            made.results.mkdir()
            if os.geteuid() == 0:
                os.chown(made.results, -1, GROUP)
            made.results.chmod(0o2750)
            before = os.umask(0o027)
            try:
                made.succeed()
            finally:
                os.umask(before)
            (folder / "done").touch()
    return Project(folder)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, to do with as one likes."""
    return finished.copy(tmp_path / "project")
