"""What people have in place of the official archives: the same products come of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clones
from project import Project

TRAIN, VAL = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
BOXES = {"bbox_train": "ILSVRC2012_bbox_train_v2.tar.gz", "bbox_val": "ILSVRC2012_bbox_val_v3.tgz"}
USE: dict[str, Any] = {"use": ["train", "val", "devkit", *BOXES], "products": ["tfrecord", "bboxes", "audit"]}


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
    empty.configure({"products": ["imagefolder", "report", *USE["products"]]})
    expect_same(empty, finished)
    folders = {
        name: it
        for name, it in finished.products().items()
        if name.startswith(("imagefolder/train/", "imagefolder/val/"))
    }
    assert folders.items() <= empty.products().items()
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
    os.utime(empty.archives / "train.tgz")
    run = empty.succeed()
    assert {"fetch_archive", "scan_archive"} <= run.rules
    assert "write_tfrecord" not in run.rules


def test_packed_archives_go_when_all_is_made_and_come_again_when_they_are_needed(
    finished: Project, empty: Project
) -> None:
    for file in (TRAIN, VAL):
        subprocess.run(
            ["gzip", "-c", finished.archives / file], check=True, stdout=(empty.archives / f"{file}.gz").open("wb")
        )
    empty.configure({"keep_packed": False, "products": ["tfrecord", "audit"]})
    empty.succeed("tfrecord_validation")
    assert (empty.results / "packed" / VAL).exists(), "there is more to be made"
    expect_same(empty, finished)
    assert not (empty.results / "packed").exists()
    assert (empty.archives / f"{TRAIN}.gz").exists()
    empty.configure({"tfrecord": {"validation_shards": 1}})
    run = empty.succeed()
    assert "write_tfrecord" in run.rules
    assert not (empty.results / "packed").exists()
    empty.succeed("check")


def kaggle_tree(finished: Project, folder: Path) -> Path:
    """The tree that Kaggle's archive unpacks to."""
    data, boxes = folder / "ILSVRC" / "Data" / "CLS-LOC", folder / "ILSVRC" / "Annotations" / "CLS-LOC"
    unpack(finished.archives / TRAIN, data / "train")
    unpack(finished.archives / VAL, data / "val")
    unpack(finished.archives / BOXES["bbox_train"], boxes / "train")
    unpack(finished.archives / BOXES["bbox_val"], boxes)
    labels = [line.split(",") for line in (finished.results / "labels" / "val_labels.csv").read_text().splitlines()[1:]]
    lines = [f"{name.removesuffix('.JPEG')},{wnid} 1 1 9 9 \n" for name, _, wnid, _ in labels]
    (folder / "LOC_val_solution.csv").write_text("".join(["ImageId,PredictionString\n", *reversed(lines)]))
    words = (finished.results / "labels" / "wnid_to_index.txt").read_text().splitlines()
    mapping = [f"{line.split(' ', 2)[0]} {line.split(' ', 2)[2]}\n" for line in words]
    (folder / "LOC_synset_mapping.txt").write_text("".join(mapping))
    return folder


def test_the_tree_of_kaggle_is_used_as_it_lies_there(finished: Project, empty: Project) -> None:
    kaggle_tree(finished, empty.archives / "kaggle")
    for file in BOXES.values():
        (empty.archives / file).unlink()
    expect_same(empty, finished)


@pytest.mark.parametrize("method", ["stored", "deflated"])
def test_the_zip_of_kaggle_is_used(finished: Project, empty: Project, tmp_path: Path, method: str) -> None:
    tree = kaggle_tree(finished, tmp_path / "tree")
    for file in BOXES.values():
        (empty.archives / file).unlink()
    with zipfile.ZipFile(
        empty.archives / "imagenet-object-localization-challenge.zip",
        "w",
        zipfile.ZIP_STORED if method == "stored" else zipfile.ZIP_DEFLATED,
    ) as archive:
        for path in sorted(tree.rglob("*")):
            archive.write(path, path.relative_to(tree))
    expect_same(empty, finished)
    assert (empty.results / "packed" / TRAIN).exists() == (method == "deflated")


def hub_tars(finished: Project, folder: Path, tmp_path: Path) -> Path:
    """The archives of Hugging Face, whose file names end with the class, in no order of classes."""
    train, val = tmp_path / "hub" / "train", tmp_path / "hub" / "val"
    for path in unpack(finished.archives / TRAIN, tmp_path / "train").glob("*/*"):
        train.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, train / f"{path.stem}_{path.parent.name}.JPEG")
    labels = (finished.results / "labels" / "validation_synset_labels.txt").read_text().split()
    paths = sorted(unpack(finished.archives / VAL, tmp_path / "val").glob("*.JPEG"))
    val.mkdir()
    for path, wnid in zip(paths, labels, strict=True):
        shutil.copy(path, val / f"{path.stem}_{wnid}.JPEG")
    names = sorted(os.listdir(train), key=lambda name: name[::-1])
    for number in range(3):
        tar(folder / "data" / f"train_images_{number}.tar.gz", train, *names[number::3])
    tar(folder / "data" / "val_images.tar.gz", val, *sorted(os.listdir(val)))
    return tmp_path / "hub"


def expect_nothing_of_the_devkit(project: Project) -> None:
    labels = project.results / "labels"
    assert json.loads((labels / "hierarchy.json").read_text()) is None
    rows = [line.split(",") for line in (labels / "classes.csv").read_text().splitlines()]
    assert {row[rows[0].index("ilsvrc2012_id")] for row in rows[1:]} == {""}
    assert pq.read_table(labels / "synsets.parquet")["ilsvrc2012_id"].null_count > 0


def test_the_archives_of_hugging_face_are_used_without_a_devkit(
    finished: Project, empty: Project, tmp_path: Path
) -> None:
    hub_tars(finished, empty.archives, tmp_path)
    (empty.archives / DEVKIT).unlink()
    empty.configure({"subset_labels": "renumbered", "products": [*USE["products"], "report"]})
    expect_same(empty, finished)
    expect_nothing_of_the_devkit(empty)


def test_the_parquet_files_of_hugging_face_are_used(finished: Project, empty: Project, tmp_path: Path) -> None:
    hub = hub_tars(finished, tmp_path / "elsewhere", tmp_path)
    (empty.archives / "data").mkdir()
    for split, folder in (("train", hub / "train"), ("validation", hub / "val")):
        paths = sorted(folder.iterdir())
        for number in range(2):
            rows = [{"image": {"bytes": it.read_bytes(), "path": it.name}, "label": 0} for it in paths[number::2]]
            pq.write_table(
                pa.Table.from_pylist(rows), empty.archives / "data" / f"{split}-{number:05d}-of-00002-0a1b.parquet"
            )
    expect_same(empty, finished)


def test_the_tree_of_kaggle_tells_classes_and_labels_without_a_devkit(finished: Project, empty: Project) -> None:
    kaggle_tree(finished, empty.archives)
    for file in (DEVKIT, *BOXES.values()):
        (empty.archives / file).unlink()
    expect_same(empty, finished)
    expect_nothing_of_the_devkit(empty)


def test_a_folder_that_has_changed_is_read_again_and_what_is_missing_is_named(
    finished: Project, empty: Project
) -> None:
    train = unpack(finished.archives / TRAIN, empty.archives / "train")
    shutil.copy(finished.archives / VAL, empty.archives)
    empty.configure({"products": ["tfrecord", "audit"]})
    empty.succeed()
    (train / ".DS_Store").write_bytes(b"of macOS")
    run = empty.succeed()
    assert "scan_archive" in run.rules
    assert "write_tfrecord" not in run.rules, "the images are the same"
    image = max(train.glob("*/*.JPEG"))
    image.rename(empty.folder / image.name)
    run = empty.run()
    assert run.code != 0
    assert f"class {image.parent.name} has" in run.last_line
    assert "Traceback" not in run.terminal
    (empty.folder / image.name).rename(image)
    empty.succeed()
    assert shards(empty) == shards(finished)


def test_a_run_that_is_killed_while_packing_goes_on(finished: Project, empty: Project, tmp_path: Path) -> None:
    hub_tars(finished, empty.archives, tmp_path)
    empty.configure({"products": ["tfrecord", "audit"]})
    part = empty.results / "packed" / f"{TRAIN}.part"
    assert empty.kill_when(part.exists)
    empty.succeed("--unlock")
    expect_same(empty, finished)
    assert not part.exists()
