"""Products that lie on another disk, where a link in output_dir leads, or where one is mounted."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clones import delete
from damage import path_of
from project import Project
from workflow.test_bad_surroundings import can_run

FOLDERS = ("imagefolder/train", "tfrecord", "labels", "tables", "report", "state")
MOUNTED = (
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount --bind disk results/imagefolder/train && "$@"',
    "sh",
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than that of the tests, in memory."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("writing to a second file system is not possible here")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def linked(project: Project, disk: Path, *folders: str) -> None:
    """Make links to empty folders of another disk in output_dir, of which nothing is made."""
    for name in folders:
        link = project.results / name
        link.parent.mkdir(parents=True, exist_ok=True)
        (disk / name).mkdir(parents=True)
        link.symlink_to(disk / name)


def unfinished(*folders: Path) -> list[Path]:
    """What is left of writing."""
    return [path for folder in folders for path in folder.rglob("*partial*")]


def test_products_may_be_links_to_another_disk(finished: Project, tmp_path: Path, disk: Path) -> None:
    project = finished.twin(tmp_path)
    linked(project, disk, *FOLDERS)
    project.succeed()
    assert project.products() | files_of(disk) == finished.products()
    assert all((project.results / name).is_symlink() for name in FOLDERS)
    assert unfinished(disk, project.results) == []
    delete(project, "imagefolder/train/n*", "tfrecord/train-00000-of-*")
    project.succeed()
    assert files_of(disk).items() <= finished.products().items()
    assert project.succeed().nothing_done


def files_of(disk: Path) -> dict[str, str]:
    """The products on that disk: their SHA-256 by path below output_dir."""
    as_results = Project(disk)
    as_results.results = disk
    return as_results.products()


def test_a_class_folder_may_be_a_link_to_another_disk(project: Project, disk: Path) -> None:
    before = project.products()
    folder = next((project.results / "imagefolder" / "train").glob("n*"))
    shutil.move(folder, disk)
    folder.symlink_to(disk / folder.name)
    next((disk / folder.name).iterdir()).unlink()
    project.succeed("imagefolder_train")
    assert {name: project.products().get(name) for name in before if folder.name not in name}.items() <= before.items()
    of_class = {path.name for path in (disk / folder.name).iterdir()}
    assert of_class == {name.rpartition("/")[2] for name in before if f"train/{folder.name}/" in name}


def test_a_disk_may_be_mounted_at_a_product(finished: Project, tmp_path: Path) -> None:
    if not can_run(*MOUNTED[:-2], "mount -t tmpfs tmpfs /mnt"):
        pytest.skip("mounting is not possible here")
    project = finished.twin(tmp_path)
    for folder in (tmp_path / "disk", project.results / "imagefolder" / "train"):
        folder.mkdir(parents=True)
    run = project.run("imagefolder_train", prefix=MOUNTED)
    assert run.code == 0, run.terminal
    made = {path.name for path in (tmp_path / "disk").iterdir()}
    assert made == {path.name for path in (finished.results / "imagefolder" / "train").iterdir()}
    assert unfinished(project.results, tmp_path / "disk") == []


def test_a_failed_run_leaves_empty_folders_that_are_links_as_they_were(
    own: Project, finished: Project, disk: Path
) -> None:
    shutil.rmtree(own.results)
    linked(own, disk, "tfrecord", "labels", "tables")
    path_of(own, "val").unlink()
    own.configure({"archives": {"val": {"url": None}}})
    run = own.run()
    assert run.code != 0
    assert "Traceback" not in run.terminal
    assert run.last_line.startswith("ERROR ")
    assert (own.results / "tfrecord").is_symlink()
    assert list((disk / "tfrecord").iterdir()) == []
