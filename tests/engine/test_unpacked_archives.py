"""What people have of archives that were unpacked: a devkit is used, class archives and images are only told."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path

import pytest

from builders import image, tar
from engine.findings import CONTENT, DEVKIT, TRAIN, VAL, only, put, settings, val_in
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import archive_check
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.archive_search import find, stand_in
from imagenet_prep.engine.scan import scan
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


# Class archives and images, which are only told.


def test_class_archives_are_told_with_the_command_that_puts_them_together(folder: Path) -> None:
    for wnid in ("n01440764", "n02012849"):
        put(folder / "train" / f"{wnid}.tar", tar({f"{wnid}_1.JPEG": b"x"}))
    found = only(find(folder, {"train": settings(TRAIN)}, ILSVRC2012))
    assert not found.usable
    assert "2 archives of single classes" in found.message
    assert "md5, sha256 and bytes to null" in found.message
    command = found.message.partition("(")[2].partition(")")[0]
    subprocess.run(command, shell=True, check=True)
    names = subprocess.run(["tar", "tf", folder / TRAIN], check=True, capture_output=True, text=True).stdout.split()
    assert names == ["n01440764.tar", "n02012849.tar"]


@pytest.mark.parametrize(
    ("archive", "names"),
    [
        ("train", ["ILSVRC/Data/CLS-LOC/train/n01440764/n01440764_10026.JPEG"]),
        ("train", ["n01440764/n01440764_1.JPEG", "n02012849/n02012849_1.JPEG"]),
        ("val", ["val/n01440764/ILSVRC2012_val_00000293.JPEG"]),
        ("val", ["ILSVRC2012_val_00000001.JPEG"]),
        ("test", ["test/ILSVRC2012_test_00000001.JPEG"]),
    ],
)
def test_unpacked_images_are_told_with_what_can_be_made_of_them(folder: Path, archive: str, names: list[str]) -> None:
    for name in names:
        put(folder / name, b"\xff\xd8")
    used = {name: settings(f"{name}.tar") for name in ("train", "val", "test")}
    found = only(find(folder, used, ILSVRC2012))
    assert (found.usable, found.archive) == (False, archive)
    assert f"of {archive}.tar, unpacked" in found.message
    assert "tables and TFRecords need the archive" in found.message


def test_archives_made_of_class_folders_as_the_page_says_are_good_ones(checkout: Path, tmp_path: Path) -> None:
    page = (checkout / "docs" / "archives.md").read_text()
    (commands,) = [block for block in page.split("```sh\n") if block.startswith("# archives of class folders")]
    (tmp_path / "archives").mkdir()
    for tree, names in (("train", ["n01440764_1", "n01440764_2"]), ("val", ["ILSVRC2012_val_00000002"])):
        for name in names:
            put(tmp_path / tree / "n01440764" / f"{name}.JPEG", image())
    put(tmp_path / "val" / "n02012849" / "ILSVRC2012_val_00000001.JPEG", image())
    subprocess.run(["sh", "-ec", commands.partition("```")[0]], cwd=tmp_path, check=True)
    for name, file, images in (("train", TRAIN, 2), ("val", VAL, 2)):
        receipt = scan(name, tmp_path / "archives" / file, Expected(), tmp_path / f"{name}.parquet", ILSVRC2012)
        assert receipt["members"] == images


def test_unpacked_images_beside_the_archive_are_no_news(folder: Path) -> None:
    put(folder / VAL, CONTENT)
    put(folder / "val" / "n01440764" / "ILSVRC2012_val_00000293.JPEG")
    assert val_in(folder) == []
