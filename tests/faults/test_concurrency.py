"""Several at once: users who share archives, and a reader of products that are being made."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import builders
from clones import wnids
from damage import digests, path_of
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.imagefolder import write_folders
from project import LESS, SMALL, Project, Started, merged

FEW = {"use": ["val", "devkit"], "products": ["imagefolder", "audit"]}
USERS = (61001, 61002)  # numbers that no account has

Begin = Callable[..., Started]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins a run and goes on at once; no run outlives the test."""
    begun: list[Started] = []

    def begin(project: Project, prefix: tuple[str, ...] = ()) -> Started:
        begun.append(project.start(prefix=prefix))
        return begun[-1]

    yield begin
    for started in begun:
        started.kill()


def expect_good_end(started: Started) -> None:
    """Wait for the end of a run."""
    end = started.end()
    assert end.code == 0, end.terminal


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may look into, other than that of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_user(number: int, home: Path) -> tuple[str, ...]:
    """What makes a command that user's; it may read what root has installed, and write only what modes let it."""
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    identity = (f"--reuid={number}", f"--regid={number}", "--clear-groups")
    return ("setpriv", *identity, *reading, "env", f"HOME={home}", f"USER={number}")


def test_two_users_share_read_only_archives_at_once(finished: Project, open_folder: Path, begin: Begin) -> None:
    python = [*as_user(USERS[0], open_folder), sys.executable, "-c", ""]
    if os.geteuid() or subprocess.run(python, capture_output=True).returncode:
        pytest.skip("being other users is not possible here")
    archives = open_folder / "archives"
    archives.mkdir()
    for name in FEW["use"]:
        shutil.copy2(path_of(finished, name), archives)
    for path in (*archives.iterdir(), archives):
        path.chmod(0o555)
    times = {path.name: path.stat().st_mtime_ns for path in archives.iterdir()}

    projects = []
    for user in USERS:
        folder = open_folder / str(user)
        folder.mkdir()
        projects.append(Project(folder, merged(SMALL, {"synthetic": None, "archives_dir": str(archives), **FEW})))
        projects[-1].configure({"classes": wnids(finished)})
        subprocess.run(["chown", "-R", f"{user}:{user}", folder], check=True)
    runs = [begin(project, as_user(user, project.folder)) for user, project in zip(USERS, projects, strict=True)]
    for run in runs:
        expect_good_end(run)

    one, other = projects
    assert one.products() == other.products()
    assert (one.results / "audit.json").is_file()
    for user, project in zip(USERS, projects, strict=True):
        assert {path.lstat().st_uid for path in project.results.rglob("*")} == {user}
    assert digests(Project(open_folder)).items() <= digests(finished).items()
    assert {path.name: path.stat().st_mtime_ns for path in archives.iterdir()} == times


class Reader:
    """Opens each product as soon as its name appears, as a training that was started too early would.

    Attributes:
        contents: by path, the SHA-256 of all that was ever read under it.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self._known: dict[str, tuple[int, int]] = {}
        self.contents: dict[str, set[str]] = {}

    def look(self) -> None:
        """Read what is there and was not there, or was another file, the last time."""
        for folder, folders, files in os.walk(self._results):
            folders[:] = [name for name in folders if not name.startswith(".") and name != "state"]
            shown = Path(folder).relative_to(self._results).as_posix()
            for name in files:
                if not name.startswith("."):
                    self._read(f"{shown}/{name}")

    def _read(self, name: str) -> None:
        try:
            with open(self._results / name, "rb") as file:
                state = os.fstat(file.fileno())
                if self._known.get(name) != (state.st_ino, state.st_mtime_ns):
                    self._known[name] = state.st_ino, state.st_mtime_ns
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                    self.contents.setdefault(name.removeprefix("./"), set()).add(digest)
        except FileNotFoundError:  # taken away since the folder was listed
            pass


def test_a_reader_never_sees_a_half_made_file(tmp_path: Path, begin: Begin) -> None:
    project = Project(tmp_path, merged(SMALL, LESS))
    run, reader, early = begin(project), Reader(project.results), set()
    while run.runs:
        reader.look()
        time.sleep(0.05)  # or it would take half of the machine from the run
        if run.runs:
            early = set(reader.contents)
    expect_good_end(run)
    kinds = {name.partition("/")[0] for name in early}
    assert kinds >= {"archives", "verified", "labels", "tables", "imagefolder", "tfrecord"}

    products, others = project.products(), ("logs/", "benchmarks/", "report/run.js")
    seen = {name: contents for name, contents in reader.contents.items() if not name.startswith(others)}
    assert {name: contents for name, contents in seen.items() if contents != {products.get(name)}} == {}


def test_a_reader_finds_a_class_folder_whole_or_not_at_all(tmp_path: Path) -> None:
    images = builders.train_images()
    rows = builders.labelled(tmp_path / "archives", "train", images).to_pylist()
    tree = tmp_path / "results" / "imagefolder" / "train"
    listings: set[tuple[str, frozenset[str]]] = set()
    looking = True

    def look(*_: object) -> None:
        """Python calls it before every step that the operating system takes for it, those of looking too."""
        nonlocal looking
        if looking:
            looking = False
            listings.update((folder.name, frozenset(os.listdir(folder))) for folder in tree.glob("*"))
            looking = True

    sys.addaudithook(look)
    archive = tmp_path / "archives" / "train.tar"
    write_folders(rows, ILSVRC2012.splits["train"], "wnid", archive, tmp_path / "results")
    looking = False
    classes = {name[:9] for name in images}
    whole = {(wnid, frozenset(name for name in images if name.startswith(wnid))) for wnid in classes}
    assert listings
    assert listings <= whole
