"""What people have in place of the official archives: the same products come of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import clones
from project import Project

TRAIN, VAL = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
BOXES = {"bbox_train": "ILSVRC2012_bbox_train_v2.tar.gz", "bbox_val": "ILSVRC2012_bbox_val_v3.tgz"}
USE = {"use": ["train", "val", "devkit", *BOXES], "products": ["tfrecord", "bboxes", "audit"]}


@pytest.fixture
def empty(finished: Project, tmp_path: Path) -> Project:
    """A project that has the devkit and the boxes, and no images yet."""
    project = clones.owned(finished, tmp_path / "project", USE)
    for file in ("train.tar", "val.tar", "test_v10102019.tar", "train_t3.tar"):
        (project.archives / f"ILSVRC2012_img_{file}").unlink()
    return project


def unpack(archive: Path, folder: Path) -> Path:
    """Have GNU tar unpack an archive, and the class tars in it each into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    for class_tar in folder.glob("n*.tar"):
        (folder / class_tar.stem).mkdir()
        subprocess.run(["tar", "-xf", class_tar, "-C", folder / class_tar.stem], check=True)
        class_tar.unlink()
    return folder


def into_classes(flat: Path, labels: Path) -> None:
    """Move the validation images of a folder into folders of their classes, as valprep.sh does."""
    names = sorted(path.name for path in flat.glob("*.JPEG"))
    for name, wnid in zip(names, labels.read_text().split(), strict=True):
        (flat / wnid).mkdir(exist_ok=True)
        (flat / name).rename(flat / wnid / name)


def shards(project: Project) -> dict[str, str]:
    return {name: digest for name, digest in project.products().items() if name.startswith("tfrecord/")}


def expect_same(project: Project, finished: Project) -> None:
    """The records are those of the archives, and audit and check find nothing wrong."""
    run = project.succeed()
    assert shards(project) == shards(finished)
    assert json.loads((project.results / "audit.json").read_text())["ok"]
    project.succeed("check")
    again = project.run()
    assert again.nothing_done, again.terminal + run.terminal


def test_class_folders_are_used_as_they_lie_there(finished: Project, empty: Project, tmp_path: Path) -> None:
    train = unpack(finished.archives / TRAIN, tmp_path / "disk" / "train")
    empty.archives.joinpath("train").symlink_to(train)
    val = unpack(finished.archives / VAL, empty.archives / "val")
    into_classes(val, finished.results / "labels" / "validation_synset_labels.txt")
    folders = sorted(train.iterdir())
    shutil.move(folders[0], tmp_path / "elsewhere")
    folders[0].symlink_to(tmp_path / "elsewhere")
    image = next(folders[1].iterdir())
    os.link(image, tmp_path / "linked.JPEG")
    image.unlink()
    image.symlink_to(tmp_path / "linked.JPEG")
    (folders[1] / f"._{image.name}").write_bytes(b"of macOS")
    (folders[2] / ".DS_Store").write_bytes(b"of macOS")
    (folders[2] / ".ipynb_checkpoints").mkdir()
    expect_same(empty, finished)
    receipt = json.loads((empty.results / "verified" / "train.json").read_text())
    assert receipt["passed_over"] == 3
    assert receipt["source"] == "train"
    assert "no checksum" in receipt["not_verified"]
    table = pq.read_table(empty.results / "tables" / "images.parquet").to_pylist()
    assert {row["offset"] for row in table} == {0}
    for row in table:
        assert (empty.archives / row["archive"]).stat().st_size == row["length"]


def test_a_flat_folder_of_validation_images_is_used(finished: Project, empty: Project) -> None:
    unpack(finished.archives / TRAIN, empty.archives / "ILSVRC" / "Data" / "train")
    unpack(finished.archives / VAL, empty.archives / "ILSVRC" / "Data" / "val")
    (empty.archives / "ILSVRC" / "Data" / "val" / "valprep.sh").write_text("mkdir n01440764\n")
    expect_same(empty, finished)


def tar(output: Path, folder: Path, *names: str) -> None:
    """Have GNU tar make an archive of what lies in a folder; compressed, as its name says."""
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-caf", output, "-C", folder, *names], check=True)


def class_tars(train: Path, output: Path, *, with_folder: bool) -> Path:
    """A tar a class, whose members are in a folder of that name or not."""
    for folder in sorted(train.iterdir()):
        names = [f"{folder.name}/{it.name}" if with_folder else it.name for it in sorted(folder.iterdir())]
        tar(output / f"{folder.name}.tar", train if with_folder else folder, *names)
    return output


def test_what_was_unpacked_by_one_level_is_used_as_it_lies_there(
    finished: Project, empty: Project, tmp_path: Path
) -> None:
    train = unpack(finished.archives / TRAIN, tmp_path / "train")
    class_tars(train, empty.archives / "train", with_folder=False)
    val = unpack(finished.archives / VAL, tmp_path / "val")
    into_classes(val, finished.results / "labels" / "validation_synset_labels.txt")
    tar(empty.archives / "validation.tar", tmp_path, "val")
    for file in (DEVKIT, *BOXES.values()):
        unpack(empty.archives / file, empty.archives / file.partition(".")[0])
        (empty.archives / file).unlink()
    expect_same(empty, finished)
    assert not (empty.results / "packed").exists()


def test_class_tars_in_a_folder_with_folders_in_them_are_used(
    finished: Project, empty: Project, tmp_path: Path
) -> None:
    train = unpack(finished.archives / TRAIN, tmp_path / "unpacked")
    class_tars(train, tmp_path / "train", with_folder=True)
    tar(empty.archives / "imagenet.tar", tmp_path, "train")
    subprocess.run(["gzip", "-k", finished.archives / VAL], check=True)
    (finished.archives / f"{VAL}.gz").rename(empty.archives / f"{VAL}.gz")
    expect_same(empty, finished)
    packed = empty.results / "packed" / VAL
    assert packed.read_bytes() == (finished.archives / VAL).read_bytes()
    receipt = json.loads((empty.results / "verified" / "val.json").read_text())
    assert receipt["bytes"] == packed.stat().st_size


def test_a_compressed_tar_of_class_folders_is_packed_once(finished: Project, empty: Project, tmp_path: Path) -> None:
    unpack(finished.archives / TRAIN, tmp_path / "train")
    tar(empty.archives / "train.tgz", tmp_path, "train")
    tar(empty.archives / VAL.replace(".tar", ".tar.gz"), unpack(finished.archives / VAL, tmp_path / "val"), ".")
    expect_same(empty, finished)
    before = (empty.results / "packed" / TRAIN).stat().st_mtime_ns
    empty.succeed("--forceall", "download")
    assert (empty.results / "packed" / TRAIN).stat().st_mtime_ns == before
