"""What people have of archives that were unpacked: class folders, class tars, a devkit."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import subprocess
import zipfile
from pathlib import Path

import pytest

from builders import header, tar
from engine.findings import CONTENT, DEVKIT, TRAIN, VAL, only, put, settings, val_in
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
    told = only(find(folder, {"devkit": devkit}, ILSVRC2012))
    assert not told.usable
    assert "nothing of the data set is known by the names in it (readme.txt" in told.message


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
        ("train", "train", ["train/0/n01440764_1.JPEG", "train/12/n02012849_2.JPEG", "train/tench/n03126707_3.JPEG"]),
        ("train", "train", [f"train/{it}/{it.lower()}_1.JPEG" for it in ("N01440764", "N02012849", "N03126707")]),
        ("train", "train", ["train/n01440764/images/n01440764_1.JPEG"]),
        ("val", "val", [f"val/{it}/ILSVRC2012_val_0000000{it}.JPEG" for it in (1, 2, 3)]),
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


MIXED = {"imagenet/train/n01440764/n01440764_1.JPEG": b"x", "imagenet/val/ILSVRC2012_val_00000001.JPEG": b"y"}


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_of_folders_of_several_splits_is_a_source_of_each(kind: str, folder: Path) -> None:
    path = folder / f"imagenet.{kind}"
    made = tar(MIXED)
    path = zipped(path, MIXED) if kind == "zip" else put(path, made if kind == "tar" else gzip.compress(made))
    found = find(folder, {name: settings(f"{name}.tar") for name in ("train", "val", "test")}, ILSVRC2012)
    assert {(it.archive, it.path, it.usable) for it in found} == {("train", path, True), ("val", path, True)}


def test_the_zip_of_one_split_is_no_source_of_another(folder: Path) -> None:
    used = {name: settings(f"{name}.tar") for name in ("train", "val")}
    many = {f"train/n01440764/n01440764_{it}.JPEG": b"x" for it in range(2000)}
    path = zipped(folder / "images.zip", many)
    assert only(find(folder, used, ILSVRC2012)).archive == "train"
    zipped(path, {**many, "val/ILSVRC2012_val_00000001.JPEG": b"y"})
    assert {it.archive for it in find(folder, used, ILSVRC2012)} == {"train", "val"}, "the last of the members tells"


def test_folders_of_a_source_are_not_told_again(folder: Path) -> None:
    for it in range(30):
        put(folder / "train" / f"class {it}" / f"n01440764_{it}.JPEG")
    assert only(find(folder, {"train": settings(TRAIN)}, ILSVRC2012)).path == folder / "train"


# What lies there and is of no use.


def stranger(folder: Path, archive: str | None = None) -> str:
    """The line about the one thing that lies there."""
    told = only(find(folder, {name: settings(f"{name}.tar") for name in ("train", "val")}, ILSVRC2012))
    assert (told.usable, told.archive) == (False, archive)
    return told.message.removeprefix(f"{told.path}: ")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("val.7z", b"7z\xbc\xaf\x27\x1c", "it is a 7z archive, which is not read here. Unpack it"),
        ("val.tar.xz", lzma.compress(CONTENT), "it is compressed by xz, which is not read here. Unpack it: `unxz /"),
        ("val.tar.bz2", bz2.compress(CONTENT), "Unpack it: `bunzip2 /"),
        ("val.tar", header("x", kind=b"S"), "it cannot be used (member 'x': "),
        ("imagenet.tar", tar({VAL: CONTENT}), f"nothing of the data set is known by the names in it ({VAL}"),
        ("imagenet.zip", b"PK\3\4 and no more", "it cannot be used (the archive has no central directory"),
    ],
)
def test_an_archive_that_is_of_no_use_is_told(name: str, content: bytes, line: str, folder: Path) -> None:
    put(folder / name, content)
    assert line in stranger(folder)


@pytest.mark.parametrize("name", ["notes.txt", "results.csv.gz", "x.tar"])
def test_what_is_no_archive_is_not_told(name: str, folder: Path) -> None:
    put(folder / name, b"something else")
    assert find(folder, {"val": settings(VAL)}, ILSVRC2012) == []


def test_class_folders_of_images_of_another_ending_are_renamed_by_the_command(folder: Path) -> None:
    for name in ("n01440764/n01440764_1.jpeg", "n02012849/n02012849_1.jpg", "n02012849/it's.JPG"):
        put(folder / "my train" / name)
    line = stranger(folder, "train")
    assert "2 folders of classes, in which no file has the name of an image (the first is n01440764/" in line
    subprocess.run(line.split("`")[1], shell=True, check=True)
    assert only(find(folder, {"train": settings(TRAIN)}, ILSVRC2012)).usable
    assert sorted(it.name for it in folder.rglob("*.*")) == ["it's.JPEG", "n01440764_1.JPEG", "n02012849_1.JPEG"]


def test_class_folders_of_other_images_are_told(folder: Path) -> None:
    put(folder / "n01440764" / "fish 1.png")
    assert "(the first is n01440764/fish 1.png)" in stranger(folder)


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
