"""What people have of archives that were unpacked: class folders, class tars, a devkit."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from builders import tar
from engine.findings import CONTENT, DEVKIT, VAL, only, put, settings, val_in
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import archive_check
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.archive_search import find, stand_in, unused_sources
from imagenet_prep.errors import PrepError

# A devkit that a browser has unpacked, which is used.

UNPACKED = tar({"readme.txt": b"of the devkit"})


@pytest.mark.parametrize("name", ["ILSVRC2012_devkit_t12.tar", "devkit.tar", f"down/{DEVKIT}"])
def test_an_unpacked_devkit_of_the_right_content_is_used(folder: Path, name: str) -> None:
    path = put(folder / name, UNPACKED)
    devkit = settings(DEVKIT, gzip.compress(UNPACKED), unpacked_sha256=hashlib.sha256(UNPACKED).hexdigest())
    found = find(folder, {"devkit": devkit}, ILSVRC2012)
    assert only(found).usable
    assert stand_in(found, "devkit") == path


def test_an_unpacked_devkit_of_other_content_is_not_used(folder: Path) -> None:
    put(folder / "ILSVRC2012_devkit_t12.tar", UNPACKED + bytes(512))
    devkit = settings(DEVKIT, gzip.compress(UNPACKED), unpacked_sha256=hashlib.sha256(UNPACKED).hexdigest())
    assert find(folder, {"devkit": devkit}, ILSVRC2012) == []


def test_an_unpacked_devkit_is_verified_by_its_content(folder: Path) -> None:
    packed = gzip.compress(UNPACKED)
    checksum = hashlib.sha256(UNPACKED).hexdigest()
    expected = Expected("md5", hashlib.md5(packed).hexdigest(), len(packed), checksum)
    receipt = archive_check.verify("devkit", put(folder / DEVKIT, UNPACKED), expected)
    assert (receipt["file"], receipt["sha256"], receipt["expected"]) == (DEVKIT, checksum, checksum)
    assert "md5" in archive_check.verify("devkit", put(folder / DEVKIT, packed), expected)
    with pytest.raises(PrepError, match=f"where {checksum} is expected"):
        archive_check.verify("devkit", put(folder / DEVKIT, UNPACKED + bytes(512)), expected)
    with pytest.raises(PrepError, match=f"where {len(packed)} are expected"):
        archive_check.verify("devkit", put(folder / DEVKIT, b"<!DOCTYPE html>" * 100), expected)


def test_the_declared_checksum_is_that_of_the_real_devkit_unpacked(shared_data: Path) -> None:
    content = gzip.decompress((shared_data / "devkit" / DEVKIT).read_bytes())
    assert ILSVRC2012.archives["devkit"].unpacked_sha256 == hashlib.sha256(content).hexdigest()


# Class archives, images and boxes, which are used as they lie there.


@pytest.mark.parametrize(
    ("archive", "folder_of", "names"),
    [
        ("train", "tars", ["tars/n01440764.tar", "tars/n02012849.tar"]),
        ("train", "ILSVRC/Data/CLS-LOC/train", ["ILSVRC/Data/CLS-LOC/train/n01440764/n01440764_10026.JPEG"]),
        ("train", "", ["n01440764/n01440764_1.JPEG", "n02012849/n02012849_1.JPEG"]),
        ("val", "val", ["val/n01440764/ILSVRC2012_val_00000293.JPEG"]),
        ("val", "val", ["val/000/ILSVRC2012_val_00000293.JPEG"]),
        ("val", "", ["ILSVRC2012_val_00000001.JPEG"]),
        ("test", "test", ["test/._ILSVRC2012_test_00000001.JPEG", "test/ILSVRC2012_test_00000001.JPEG"]),
        ("bbox_train", "b", ["b/n01440764/n01440764_10040.xml"]),
        ("bbox_val", "b/val", ["b/val/ILSVRC2012_val_00000001.xml"]),
        ("devkit", "ILSVRC2012_devkit_t12", ["ILSVRC2012_devkit_t12/data/meta.mat"]),
    ],
)
def test_what_was_unpacked_is_used_as_it_lies_there(
    folder: Path, archive: str, folder_of: str, names: list[str]
) -> None:
    for name in names:
        put(folder / name, b"\xff\xd8")
    used = {name: settings(f"{name}.tar") for name in ("train", "val", "test", "bbox_train", "bbox_val", archive)}
    found = only(find(folder, used, ILSVRC2012))
    assert (found.usable, found.archive, found.path) == (True, archive, folder / folder_of)
    assert f"in place of {archive}.tar" in found.message


def test_of_several_the_archive_is_used_and_the_others_are_told(folder: Path) -> None:
    put(folder / "a" / "ILSVRC2012_val_00000001.JPEG")
    put(folder / "b" / "n01440764" / "ILSVRC2012_val_00000001.JPEG")
    put(folder / "zz" / VAL, CONTENT)
    archive, *others = val_in(folder)
    assert (archive.usable, archive.path) == (True, folder / "zz" / VAL)
    assert [it.usable for it in others] == [False, False]
    for it in others:
        assert it.message == f"{it.path}: it is not used, since {folder / 'zz' / VAL} is there, too"


def test_unpacked_images_beside_the_archive_are_not_used_and_told(folder: Path) -> None:
    archive = put(folder / VAL, CONTENT)
    put(folder / "val" / "n01440764" / "ILSVRC2012_val_00000293.JPEG")
    put(folder / "train" / "n01440764" / "n01440764_1.JPEG")
    assert val_in(folder) == []
    told = f"{folder / 'val'}: it is not used, since {archive} is there, too"
    assert unused_sources(folder, archive, "val", ILSVRC2012) == [told]


def test_without_a_devkit_the_lists_of_kaggle_come_before_the_names_of_images(folder: Path) -> None:
    put(folder / "val" / "n01440764" / "ILSVRC2012_val_00000293.JPEG")
    mapping = put(folder / "zz" / "LOC_synset_mapping.txt")
    used, other = find(folder, {"devkit": settings(DEVKIT)}, ILSVRC2012)
    assert (used.path, other.usable) == (mapping, False)
    assert used.message.endswith(
        "packed into one tar, once. The devkit's IDs, its numbers of images and the tree of "
        "synsets are not known from it: they stay empty"
    )
    put(folder / "zzz" / "data" / "meta.mat")
    assert stand_in(find(folder, {"devkit": settings(DEVKIT)}, ILSVRC2012), "devkit") == folder / "zzz"


def test_the_dogs_of_train_t3_are_not_taken_for_the_train_images(folder: Path) -> None:
    used = {name: settings(f"{name}.tar") for name in ("train", "train_t3")}
    put(folder / "train_t3" / "n02085620" / "n02085620_1.JPEG")
    put(folder / "ILSVRC2012_img_train_t3.tar", tar({"n02085620.tar": tar({"n02085620_1.JPEG": b"x"})}))
    found = find(folder, used, ILSVRC2012)
    assert {it.archive for it in found} == {"train_t3"}
