"""Scanning archives: the row of every image, and what is refused."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from crc32c import crc32c
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import builders
from builders import CRANE, FOX, image
from engine.scans import NOTHING, refusal, scanned
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import scan as scanning
from imagenet_prep.engine import scan_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.engine.scan_rows import SCAN
from imagenet_prep.errors import PrepError


def class_tars(classes: Mapping[str, Mapping[str, bytes] | Iterable[tuple[str, bytes]]]) -> bytes:
    return builders.tar({f"{name}.tar": builders.tar(members) for name, members in classes.items()})


def test_every_training_image_has_a_row_whose_range_holds_its_bytes(tmp_path: Path) -> None:
    images = builders.train_images()
    data = builders.train_tar(images)
    rows, _ = scanned(tmp_path, "train", data)
    assert {row["filename"]: data[row["offset"] : row["offset"] + row["nbytes"]] for row in rows} == images


def test_a_training_image_has_the_class_of_its_archive(tmp_path: Path) -> None:
    rows, _ = scanned(tmp_path, "train", builders.train_tar(builders.train_images()))
    assert all(row["filename"].startswith(f"{row['wnid']}_") for row in rows)


def test_a_row_says_what_the_image_is(tmp_path: Path) -> None:
    content = image(3, (31, 17), "L")
    (row,), _ = scanned(tmp_path, "val", builders.tar({"ILSVRC2012_val_00000001.JPEG": content}))
    assert row == {
        "filename": "ILSVRC2012_val_00000001.JPEG",
        "wnid": None,
        "archive": "val.tar",
        "offset": 512,
        "nbytes": len(content),
        "width": 31,
        "height": 17,
        "channels": 1,
        "format": "JPEG",
        "colorspace": "Grayscale",
        "crc32c": crc32c(content),
    }


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./", "test/", "./test/"])
def test_test_images_may_lie_in_a_folder(tmp_path: Path, prefix: str, form: int) -> None:
    names = [f"ILSVRC2012_test_{number:08d}.JPEG" for number in (3, 1, 2)]
    rows, _ = scanned(tmp_path, "test", builders.tar({prefix + name: image() for name in names}, form))
    assert [row["filename"] for row in rows] == names


def test_rows_come_in_the_order_of_the_archive(tmp_path: Path) -> None:
    images = list(builders.val_images(9).items())
    random.Random(5).shuffle(images)
    rows, _ = scanned(tmp_path, "val", builders.tar(images))
    assert [row["filename"] for row in rows] == [name for name, _ in images]


def test_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ROWS", 4)
    rows, _ = scanned(tmp_path, "val", builders.tar(builders.val_images(9)))
    written = pq.ParquetFile(tmp_path / "out" / "scan.parquet")
    assert [written.metadata.row_group(i).num_rows for i in range(written.num_row_groups)] == [4, 4, 1]
    assert len(rows) == 9


def test_the_table_has_its_schema(tmp_path: Path) -> None:
    scanned(tmp_path, "val", builders.tar(builders.val_images(2)))
    assert pq.read_schema(tmp_path / "out" / "scan.parquet").equals(SCAN)


@pytest.mark.parametrize("name", ["train", "val", "test", "train_t3"])
def test_an_archive_with_nothing_in_it_is_an_error(tmp_path: Path, name: str) -> None:
    assert "no image" in refusal(tmp_path, name, builders.tar({})).problem


def test_a_class_archive_with_nothing_in_it_is_an_error(tmp_path: Path) -> None:
    error = refusal(tmp_path, "train", class_tars({FOX: {f"{FOX}_1.JPEG": image()}, CRANE: {}}))
    assert error.member == f"{CRANE}.tar"
    assert "no image" in error.problem


@pytest.mark.parametrize("name", ["n0211978.tar", "n02119789.tar.gz", "fox.tar", "n02119789"])
def test_a_member_of_the_training_archive_that_is_no_class_is_an_error(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, "train", builders.tar({name: builders.tar({f"{FOX}_1.JPEG": image()})}))
    assert (error.member, error.offset) == (name, 512)


@pytest.mark.parametrize(
    "name",
    [
        f"{CRANE}_1.JPEG",
        f"{FOX}_1.jpg",
        f"{FOX}.JPEG",
        f"sub/{FOX}_1.JPEG",
        "README",
        f"{FOX}_\u0661.JPEG",
        f"{FOX}_{'1' * 13}.JPEG",
    ],
)
def test_a_file_in_a_class_archive_that_is_none_of_its_images_is_an_error(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, "train", class_tars({FOX: {f"{FOX}_1.JPEG": image(), name: image()}}))
    assert error.member == f"{FOX}.tar/{name}"


def test_an_image_of_another_class_is_named_with_its_place(tmp_path: Path) -> None:
    error = refusal(tmp_path, "train", class_tars({FOX: {f"{CRANE}_1.JPEG": image()}}))
    assert (error.member, error.offset) == (f"{FOX}.tar/{CRANE}_1.JPEG", 1024)


@pytest.mark.parametrize("name", ["ILSVRC2012_val_1.JPEG", "ILSVRC2012_test_00000001.JPEG", "n02119789.tar"])
def test_a_file_that_is_no_validation_image_is_an_error(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, "val", builders.tar({name: image()})).member == name


def test_the_same_image_in_two_folders_is_an_error(tmp_path: Path) -> None:
    name = "ILSVRC2012_test_00000001.JPEG"
    error = refusal(tmp_path, "test", builders.tar({name: image(), f"test/{name}": image(1)}))
    assert error.member == f"test/{name}"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"<html>Sign in</html>", "no image"),
        (b"GIF89a" + bytes(100), "no image"),
        (image()[:200], "JPEG"),
        (image()[:-40], "cut off"),
        (image(form="PNG")[:-12], "cut off"),
        (image(form="PNG")[:20], "PNG"),
    ],
    ids=["empty", "web page", "GIF", "header only", "lines missing", "PNG cut off", "PNG header only"],
)
def test_what_is_no_whole_image_is_an_error_that_names_it(tmp_path: Path, content: bytes, what: str) -> None:
    members = {f"{FOX}_1.JPEG": image(7), f"{FOX}_2.JPEG": content}
    error = refusal(tmp_path, "train", class_tars({CRANE: {f"{CRANE}_1.JPEG": image()}, FOX: members}))
    assert error.member == f"{FOX}.tar/{FOX}_2.JPEG"
    assert what in error.problem
    data = (tmp_path / "train.tar").read_bytes()
    assert error.offset is not None
    assert data[error.offset : error.offset + len(content)] == content


def test_an_image_of_a_quarter_gigabyte_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_images, "IMAGE_LIMIT", 1000)
    error = refusal(tmp_path, "val", builders.tar({"ILSVRC2012_val_00000001.JPEG": image(0, (100, 100))}))
    assert "cannot be" in error.problem


def test_a_failed_scan_leaves_an_earlier_table_as_it_was(tmp_path: Path) -> None:
    scanned(tmp_path, "val", builders.tar(builders.val_images(2)))
    earlier = (tmp_path / "out" / "scan.parquet").read_bytes()
    with pytest.raises(PrepError):
        scanned(tmp_path, "val", builders.tar(builders.val_images(3))[:2000])
    assert (tmp_path / "out" / "scan.parquet").read_bytes() == earlier
    assert builders.files_below(tmp_path / "out") == {"scan.parquet"}


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_corrupt_archive_is_scanned_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("corrupt")
    archive = bytearray(builders.train_tar(builders.train_images()))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(archive) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8) | st.just(bytes(512)))
        archive[start : start + len(piece)] = piece
    path = folder / "train.tar"
    path.write_bytes(archive[: data.draw(st.just(len(archive)) | st.integers(0, len(archive)))])
    try:
        scan("train", path, NOTHING, folder / "scan.parquet", ILSVRC2012)
    except PrepError as error:
        assert error.place == str(path)
        assert builders.files_below(folder) == {"train.tar"}


# Real images


def test_real_validation_images_are_as_pillow_reads_them(tmp_path: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "images" / "val").glob("*.JPEG"))
    data = builders.tar({file.name: file.read_bytes() for file in files})
    rows, _ = scanned(tmp_path, "val", data)
    for row, file in zip(rows, files, strict=True):
        content = data[row["offset"] : row["offset"] + row["nbytes"]]
        assert content == file.read_bytes()
        pillow = Image.open(io.BytesIO(content))
        assert (row["width"], row["height"], row["channels"]) == (*pillow.size, len(pillow.getbands()))
