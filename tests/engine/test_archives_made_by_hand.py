"""Image archives that people have made themselves: what is in them beside the images, and what mends them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import builders
from builders import CRANE, FOX, train_images, train_tar, val_images
from engine.scans import Row, refusal, scanned
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected, verify
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError

OFFICIAL = Expected("md5", "0" * 32)


def mended(error: PrepError, folder: Path, name: str) -> list[Row]:
    """The rows of the archive that the command of an error makes, typed in a folder of its own."""
    work = folder / "work"
    work.mkdir()
    matched = re.search(r": `(.*)`, then put (\S+) in its place", error.remedy)
    assert matched, error.remedy
    subprocess.run(["bash", "-c", matched[1]], cwd=work, check=True)
    assert matched[2] == f"{error.place}.new"
    return scanned(folder, name, Path(matched[2]).read_bytes())[0]


def described(rows: list[Row]) -> list[tuple[object, ...]]:
    """What the rows say of the images, whatever the archive."""
    return sorted((row["filename"], row["wnid"], row["nbytes"], row["crc32c"]) for row in rows)


def unpacked(images: dict[str, bytes], folder: Path) -> Path:
    """The images as files."""
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


# What is passed over

FOREIGN = {
    "._ILSVRC2012_val_00000001.JPEG": b"\x00\x05\x16\x07" + bytes(200),
    ".DS_Store": b"\x00\x00\x00\x01Bud1" + bytes(600),
    "valprep.sh": b"mkdir -p n01440764\n" * 60,
    "README": b"",
}


def test_what_is_no_image_is_passed_over_counted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    images = val_images(3)
    first, *others = images.items()
    data = builders.tar([*list(FOREIGN.items())[:2], first, *list(FOREIGN.items())[2:], *others])
    rows, receipt = scanned(tmp_path, "val", data)
    assert [row["filename"] for row in rows] == list(images)
    assert [data[row["offset"] : row["offset"] + row["nbytes"]] for row in rows] == list(images.values())
    assert (receipt["members"], receipt["passed_over"]) == (3, 4)
    said = "4 members that are no part of the data set passed over: '._ILSVRC2012_val_00000001.JPEG', '.DS_Store', "
    assert said in caplog.text


def test_where_nothing_is_passed_over_nothing_is_said_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert "passed_over" not in scanned(tmp_path, "val", builders.tar(val_images(1)))[1]
    assert "passed over" not in caplog.text


def test_the_training_archive_of_a_mac_is_read(tmp_path: Path) -> None:
    images = train_images()
    of_fox = {name: content for name, content in images.items() if name.startswith(FOX)}
    class_tar = builders.tar({f"._{FOX}_2.JPEG": b"x", "./.DS_Store": b"x", **of_fox, "notes.txt": b"x"})
    outer = {"._n02119789.tar": b"x", "readme.txt": b"x", f"{FOX}.tar": class_tar}
    rows, receipt = scanned(tmp_path, "train", builders.tar(outer))
    assert described(rows) == described(scanned(tmp_path, "train", train_tar(of_fox))[0])
    assert receipt["passed_over"] == 5


def test_folders_around_the_classes_and_in_them_do_not_matter(tmp_path: Path) -> None:
    images = train_images()
    nested = {wnid: {f"{wnid}/{n}": c for n, c in images.items() if n.startswith(wnid)} for wnid in (FOX, CRANE)}
    data = builders.tar({f"train/{wnid}.tar": builders.tar(members) for wnid, members in nested.items()})
    plain = {name: content for name, content in images.items() if name.startswith((FOX, CRANE))}
    assert described(scanned(tmp_path, "train", data)[0]) == described(scanned(tmp_path, "train", train_tar(plain))[0])


def test_a_class_in_two_folders_is_an_error(tmp_path: Path) -> None:
    class_tar = builders.tar({f"{FOX}_1.JPEG": builders.image()})
    error = refusal(tmp_path, "train", builders.tar({f"a/{FOX}.tar": class_tar, f"b/{FOX}.tar": class_tar}))
    assert error.member == f"b/{FOX}.tar"
    assert "twice" in error.problem


@pytest.mark.parametrize("name", ["tiger", "tiger.txt", "ILSVRC2012_val_00000009.JPEF", "n1.png", "val.tar.gz"])
def test_images_and_archives_are_not_passed_over_whatever_their_names(tmp_path: Path, name: str) -> None:
    content = b"x" if name.endswith(("png", "gz")) else builders.image()
    error = refusal(tmp_path, "val", builders.tar({**val_images(1), name: content}))
    assert error.member == name


def test_boxes_of_a_mac_are_read(tmp_path: Path) -> None:
    data = builders.tar({f"._{FOX}_1.xml": b"\x00\x05\x16\x07", f"{FOX}_1.xml": b"<annotation/>"})
    path = tmp_path / "boxes.tar"
    path.write_bytes(data)
    receipt = verify("bbox_train", path, Expected())
    assert (receipt["members"], receipt["passed_over"]) == (1, 1)


# What can be mended by a command


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG", ".Jpeg"])
def test_images_of_another_ending_are_renamed_by_the_command(tmp_path: Path, suffix: str) -> None:
    images = val_images(3)
    data = builders.tar({name.replace(".JPEG", suffix): content for name, content in images.items()})
    error = refusal(tmp_path, "val", data)
    assert error.problem == f"the image ends in {suffix}, where .JPEG is expected"
    assert described(mended(error, tmp_path, "val")) == described(scanned(tmp_path, "val", builders.tar(images))[0])


def test_training_images_of_another_ending_are_renamed_by_the_command(tmp_path: Path) -> None:
    images = train_images()
    data = train_tar({name.replace(".JPEG", ".jpg"): content for name, content in images.items()})
    error = refusal(tmp_path, "train", data)
    assert error.problem == "the image ends in .jpg, where .JPEG is expected"
    assert described(mended(error, tmp_path, "train")) == described(scanned(tmp_path, "train", train_tar(images))[0])


@pytest.mark.parametrize("above", ["", "train/"])
def test_class_folders_are_read_as_they_lie_there(tmp_path: Path, above: str) -> None:
    images = train_images()
    of_classes = {f"{above}{n.partition('_')[0]}/{n}": c for n, c in images.items()}
    folder = unpacked({f"{above}._x": b"x", "valprep.sh": b"x", **of_classes}, tmp_path / "images")
    subprocess.run(["tar", "-cf", "../made.tar", "."], cwd=folder, check=True)
    rows, receipt = scanned(tmp_path, "train", (tmp_path / "made.tar").read_bytes())
    assert described(rows) == described(scanned(tmp_path, "train", train_tar(images))[0])
    assert receipt["passed_over"] == 2


@pytest.mark.parametrize("above", ["", "train/"])
def test_class_folders_beside_class_tars_become_class_tars_by_the_command(tmp_path: Path, above: str) -> None:
    images = train_images()
    of_fox = {name: content for name, content in images.items() if name.startswith(FOX)}
    others = {f"{above}{n.partition('_')[0]}/{n}": c for n, c in images.items() if n not in of_fox}
    data = builders.tar({f"{FOX}.tar": builders.tar(of_fox), **others})
    error = refusal(tmp_path, "train", data)
    assert "it holds images, where a tar for each class" in error.problem
    assert described(mended(error, tmp_path, "train")) == described(scanned(tmp_path, "train", train_tar(images))[0])


@pytest.mark.parametrize("name", ["val", "train"])
def test_joined_archives_become_one_by_the_command(tmp_path: Path, name: str) -> None:
    images = val_images(4) if name == "val" else train_images()
    make = builders.tar if name == "val" else train_tar
    ordered = sorted(images.items())
    error = refusal(tmp_path, name, make(dict(ordered[:3])) + make(dict(ordered[3:])))
    assert "two were joined" in error.problem
    assert described(mended(error, tmp_path, name)) == described(scanned(tmp_path, name, make(images))[0])


def test_what_was_added_is_cut_off_by_the_command(tmp_path: Path) -> None:
    whole = builders.tar(val_images(2))
    error = refusal(tmp_path, "val", whole + b"signed by me")
    subprocess.run(["bash", "-c", error.remedy.removeprefix("Cut it off: ").strip("`")], check=True)
    assert described(scanned(tmp_path, "val", Path(error.place).read_bytes())[0]) == described(
        scanned(tmp_path, "val", whole)[0]
    )


@pytest.mark.skipif(shutil.which("gzip") is None, reason="needs gzip")
def test_a_compressed_archive_is_unpacked_by_the_command(tmp_path: Path) -> None:
    archive = tmp_path / "val.tar"
    whole = builders.tar(val_images(2))
    archive.write_bytes(whole)
    subprocess.run(["gzip", "-q", archive], check=True)
    error = refusal(tmp_path, "val", (tmp_path / "val.tar.gz").read_bytes())
    (tmp_path / "val.tar.gz").unlink()
    assert error.problem == "this is not a tar archive but compressed by gzip"
    subprocess.run(["bash", "-c", error.remedy.removeprefix("Unpack it: ").strip("`")], check=True)
    assert archive.read_bytes() == whole


# Whose archive it is


@pytest.mark.parametrize(
    "data",
    [
        builders.tar(val_images(2))[:1000],
        b"<html>",
        builders.tar([("a.JPEG", b"1")] * 2),
        builders.tar({}),
        builders.tar({"ILSVRC2012_val_00000001.JPEG": b"text"}),
    ],
    ids=["cut off", "a web page", "a member twice", "empty", "no image"],
)
def test_who_made_an_archive_is_not_told_to_get_it_again(tmp_path: Path, data: bytes) -> None:
    by_hand = refusal(tmp_path, "val", data)
    assert "again from" not in by_hand.remedy
    assert "get the archive again" not in by_hand.remedy
    assert "docs/archives.md says how" in by_hand.remedy
    official = refusal(tmp_path, "val", data, OFFICIAL)
    assert official.problem == by_hand.problem or "md5" in official.problem
    assert re.search("get it again|get the archive again|get the right one", official.remedy)


@pytest.mark.parametrize("expected", [OFFICIAL, Expected(nbytes=1)], ids=["another checksum", "another size"])
def test_an_archive_made_by_hand_in_place_of_the_official_one_says_what_to_configure(
    tmp_path: Path, expected: Expected
) -> None:
    archive = tmp_path / "val.tar"
    archive.write_bytes(builders.tar(val_images(2)))
    with pytest.raises(PrepError) as caught:
        scan("val", archive, expected, tmp_path / "scan.parquet", ILSVRC2012)
    assert "If you made it yourself, set md5, sha256 and bytes of archives.val to null" in caught.value.remedy
