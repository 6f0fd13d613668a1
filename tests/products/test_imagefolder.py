"""The ImageFolder trees: folders that appear whole, a ledger of what is in them, and nobody else's file touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import builders
from builders import CRANE, FOX, MACHINE
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.images import write_images
from imagenet_prep.errors import PrepError
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.imagefolder import read_rows, write_folders
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

Receipt = dict[str, Any]


class World:
    """An archive of a split, and the folder of outputs."""

    def __init__(self, folder: Path, split: str, images: dict[str, bytes]) -> None:
        self.split, self.images = ILSVRC2012.splits[split], images
        self.output_dir, self.scanned = folder / "out", folder / "images.parquet"
        self.table = builders.labelled(folder / "archives", split, images)
        write_images([self.table], self.scanned)
        (self.archive,) = (folder / "archives").iterdir()
        self.root = self.output_dir / "imagefolder" / self.split.folder

    def write(self, *wnids: str, val_dirs: str = "wnid") -> Receipt:
        rows = read_rows(self.scanned, list(wnids) or None)
        return write_folders(rows, self.split, val_dirs, self.archive, self.output_dir)

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def everything(self) -> set[str]:
        return builders.files_below(self.output_dir / "imagefolder")


@pytest.fixture
def train(tmp_path: Path) -> World:
    return World(tmp_path, "train", builders.train_images())


@pytest.fixture
def validation(tmp_path: Path) -> World:
    return World(tmp_path, "validation", builders.val_images())


def test_every_training_image_lies_in_the_folder_of_its_class_byte_for_byte(train: World) -> None:
    train.write()
    assert train.files() == {f"{name[:9]}/{name}": content for name, content in train.images.items()}


def test_batches_of_classes_add_up_to_the_whole(train: World) -> None:
    train.write(FOX)
    train.write(CRANE, MACHINE)
    assert train.files() == {f"{name[:9]}/{name}": content for name, content in train.images.items()}


def test_a_batch_makes_its_own_folders_alone(train: World) -> None:
    train.write(FOX)
    assert {path.name for path in train.root.iterdir()} == {FOX}
    assert {path.name for path in train.root.parent.iterdir()} == {"train"}


@pytest.mark.parametrize(("val_dirs", "folders"), [("wnid", [CRANE, FOX, MACHINE]), ("index", ["000", "001", "002"])])
def test_val_folders_are_in_the_order_of_the_labels(validation: World, val_dirs: str, folders: list[str]) -> None:
    validation.write(val_dirs=val_dirs)
    assert sorted(path.name for path in validation.root.iterdir()) == folders
    assert (validation.root / folders[0] / "ILSVRC2012_val_00000002.JPEG").read_bytes()


def test_test_images_lie_flat(tmp_path: Path) -> None:
    images = {f"ILSVRC2012_test_{number:08d}.JPEG": builders.image(number) for number in (1, 2)}
    world = World(tmp_path, "test", images)
    world.write()
    assert world.everything() == {f"test/{name}" for name in images}
    assert world.files() == images


def test_train_t3_has_a_tree_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, "train_t3", {f"{FOX}_1.JPEG": builders.image()})
    world.write()
    assert world.everything() == {f"train_t3/{FOX}/{FOX}_1.JPEG"}


def test_a_choice_of_classes_that_leaves_no_image_leaves_no_folder(tmp_path: Path) -> None:
    world = World(tmp_path, "train_t3", {f"{FOX}_1.JPEG": builders.image()})
    assert world.write(CRANE) == {"folders": {}}
    assert not world.root.exists()


def test_a_batch_of_classes_is_read_alone_and_a_split_that_is_not_cut_whole(tmp_path: Path) -> None:
    images = builders.train_images()
    jobs = Jobs(tmp_path)
    for split, wanted in (("train", [FOX]), ("train_t3", [CRANE, FOX, MACHINE])):
        jobs.images(split, images)
        made = jobs.make("imagefolder", split, 1, 1)["folders"]
        assert list(made) == [f"imagefolder/{split}/{wnid}" for wnid in wanted]


def test_no_bookkeeping_lies_in_the_tree(train: World) -> None:
    train.write()
    assert train.everything() == {f"train/{name[:9]}/{name}" for name in train.images}


def test_the_receipt_says_of_each_folder_how_many_files_it_has_and_when_it_changed(train: World) -> None:
    assert train.write(FOX) == {
        "folders": {f"imagefolder/train/{FOX}": {"files": 3, "changed": (train.root / FOX).stat().st_mtime_ns}}
    }


@pytest.mark.parametrize(
    ("split", "val_dirs", "folders"),
    [
        ("train", "wnid", ["train/{}"]),
        ("validation", "wnid", ["val/{}"]),
        ("validation", "index", ["val/000", "val/001", "val/002"]),
        ("test", "wnid", ["test"]),
        ("train_t3", "wnid", ["train_t3"]),
    ],
)
def test_folders_are_known_before_they_are_made(tmp_path: Path, split: str, val_dirs: str, folders: list[str]) -> None:
    jobs = Jobs(tmp_path, {"imagefolder": {"val_dirs": val_dirs}})
    units = SPLIT_PRODUCTS["imagefolder"].units(jobs.given("imagefolder", split), split)
    named = [path.format(wnid) for path in folders for wnid in ((CRANE, FOX, MACHINE) if "{}" in path else ("",))]
    assert units == [f"imagefolder/{path}" for path in named]


@pytest.mark.parametrize("val_dirs", ["wnid", "index"])
def test_the_folders_that_are_foretold_are_those_that_are_made(tmp_path: Path, val_dirs: str) -> None:
    jobs = Jobs(tmp_path, {"imagefolder": {"val_dirs": val_dirs}})
    jobs.images("train", builders.train_images())
    jobs.images("validation", builders.val_images())
    for split in ("train", "validation"):
        units = SPLIT_PRODUCTS["imagefolder"].units(jobs.given("imagefolder", split), split)
        assert list(jobs.make("imagefolder", split, 0, 2)["folders"]) == units


def test_the_ledger_holds_what_was_made(train: World) -> None:
    train.write(FOX)
    tree = Tree(train.output_dir, "train")
    assert tree.folders_made() == {FOX}
    assert tree.made(FOX) == {name for name in train.images if name.startswith(FOX)}


def test_a_folder_is_written_down_before_it_appears(train: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        train.write(FOX)
    assert not (train.root / FOX).exists()
    assert Tree(train.output_dir, "train").folders_made() == {FOX}


def test_what_a_killed_job_left_is_no_hindrance(train: World) -> None:
    partial = Tree(train.output_dir, "train").partial(FOX)
    partial.mkdir(parents=True)
    (partial / f"{FOX}_2.JPEG").write_bytes(b"half")
    (partial / "old").write_bytes(b"")
    train.write()
    assert train.files() == {f"{name[:9]}/{name}": content for name, content in train.images.items()}


# Where a folder is already


def test_a_file_of_the_user_s_own_stays_when_a_folder_is_made_again(train: World) -> None:
    train.write(FOX)
    (train.root / FOX / "notes.txt").write_text("mine")
    (train.root / FOX / f"{FOX}_2.JPEG").unlink()
    train.write(FOX)
    assert (train.root / FOX / "notes.txt").read_text() == "mine"
    assert (train.root / FOX / f"{FOX}_2.JPEG").read_bytes() == train.images[f"{FOX}_2.JPEG"]


def test_a_changed_file_is_as_in_the_archive_again(train: World) -> None:
    train.write(FOX)
    (train.root / FOX / f"{FOX}_2.JPEG").write_bytes(b"changed")
    train.write(FOX)
    assert (train.root / FOX / f"{FOX}_2.JPEG").read_bytes() == train.images[f"{FOX}_2.JPEG"]


def test_files_that_the_archive_does_not_hold_any_more_go(tmp_path: Path) -> None:
    World(tmp_path, "train", builders.train_images()).write(FOX)
    fewer = World(tmp_path, "train", {f"{FOX}_9.JPEG": builders.image(77)})
    fewer.write(FOX)
    assert fewer.files() == {f"{FOX}/{FOX}_9.JPEG": builders.image(77)}


# What does not hold any more


@pytest.mark.parametrize("damage", ["changed", "cut off", "gone"])
def test_an_archive_that_is_not_the_one_that_was_scanned_leaves_no_folder(train: World, damage: str) -> None:
    row = train.table.to_pylist()[4]
    archive = train.archive
    data = bytearray(archive.read_bytes())
    data[row["offset"] + 20] ^= 1
    archive.write_bytes(data if damage == "changed" else data[: row["offset"] + 20])
    if damage == "gone":
        archive.unlink()
    with pytest.raises(PrepError) as caught:
        train.write()
    assert caught.value.place == str(archive)
    if damage == "changed":
        assert (caught.value.member, caught.value.offset) == (row["filename"], row["offset"])
    assert train.files() == {}
    assert not any("JPEG" in name for name in train.everything())


def test_the_files_have_the_permissions_that_the_user_s_umask_gives(train: World) -> None:
    before = os.umask(0o027)
    try:
        train.write(FOX)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (train.root / FOX).iterdir()} == {0o640}
