"""Fixtures that every test may ask for."""

from __future__ import annotations

import compileall
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

import clones
from project import LESS, OTHER, SMALL, Project, Share, merged

CHECKOUT = Path(__file__).resolve().parent.parent

# No example is timed: on a busy machine each may take any time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
GROUP = 61003  # a number that no account has


# Where whole runs are made, or every product is killed and damaged: first, so that at the end there is work left for
# every process.
SLOW = ("workflow", "faults", "publish", "report", "test_benchmarks.py", "test_contract.py", "test_audit_contract.py")
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
def share(tmp_path_factory: pytest.TempPathFactory) -> Share:
    """Has a folder filled by the first of all the processes of this test run that asks for it by its name."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent

    def share(name: str, fill: Callable[[Path], None]) -> Path:
        folder, filled = shared / name, shared / f"{name}.filled"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return share


@pytest.fixture(scope="session")
def finished(share: Share) -> Project:
    """A small project in which everything is made; look at it, and copy it before changing anything.

    It is made by a user who keeps others out, in a folder that passes on its group.
    """

    def make(folder: Path) -> None:
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

    return Project(share("finished", make))


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, to do with as one likes."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def own_finished(finished: Project, share: Share) -> Project:
    """A project whose archives the workflow did not make itself, with less in it; copy it before changing it."""

    def make(folder: Path) -> None:
        clones.owned(finished, folder, LESS).succeed()

    return Project(share("own_finished", make))


@pytest.fixture
def own(own_finished: Project, tmp_path: Path) -> Project:
    """A copy of that, to do with as one likes."""
    return own_finished.copy(tmp_path / "own")


@pytest.fixture(scope="session")
def own_other(finished: Project, share: Share) -> dict[str, str]:
    """The products of that project with other settings, where nothing was made before: on one core, in other jobs."""
    jobs = {"imagefolder_classes": 4, "imagefolder_val_classes": 4, "tfrecord_shards": 3}

    def make(folder: Path) -> None:
        clones.owned(finished, folder, merged(merged(LESS, OTHER), {"jobs": jobs})).succeed(cores=1)

    return Project(share("own_other", make)).products()
