"""Verifying and scanning archives: their receipts, the row of every image, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crc32c import crc32c
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import builders
from builders import CRANE, FOX, image
from imagenet_prep.dataset import scan as scanning
from imagenet_prep.dataset.archives import Expected, verify
from imagenet_prep.dataset.scan import SCAN, scan
from imagenet_prep.errors import PrepError

NOTHING = Expected()
Row = dict[str, Any]


def scanned(folder: Path, name: str, data: bytes, expected: Expected = NOTHING) -> tuple[list[Row], Row]:
    archive, output = folder / f"{name}.tar", folder / "out" / "scan.parquet"
    archive.write_bytes(data)
    receipt = scan(name, archive, expected, output)
    assert builders.files_below(output.parent) == {"scan.parquet"}
    rows: list[Row] = pq.read_table(output).to_pylist()
    return rows, receipt


def refusal(folder: Path, name: str, data: bytes, expected: Expected = NOTHING) -> PrepError:
    """The error of a scan that leaves nothing behind."""
    with pytest.raises(PrepError) as caught:
        scanned(folder, name, data, expected)
    assert builders.files_below(folder / "out") == set()
    assert caught.value.place == str(folder / f"{name}.tar")
    assert builders.is_one_line(caught.value)
    return caught.value


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


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_receipt_holds_the_checksum_of_the_whole_file(tmp_path: Path, algorithm: str) -> None:
    data = builders.tar(builders.val_images(2)) + bytes(5 << 20)
    checksum = hashlib.new(algorithm, data).hexdigest()
    _, receipt = scanned(tmp_path, "val", data, Expected(algorithm, checksum.upper(), len(data)))
    assert receipt[algorithm] == checksum
    assert (receipt["name"], receipt["file"], receipt["bytes"], receipt["members"]) == ("val", "val.tar", len(data), 2)


def test_receipt_and_rows_of_two_runs_are_the_same_bytes(tmp_path: Path) -> None:
    data = builders.train_tar(builders.train_images())
    runs = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        _, receipt = scanned(tmp_path / run, "train", data)
        runs.append((json.dumps(receipt), (tmp_path / run / "out" / "scan.parquet").read_bytes()))
    assert runs[0] == runs[1]


def test_a_wrong_checksum_is_an_error(tmp_path: Path) -> None:
    error = refusal(tmp_path, "val", builders.tar(builders.val_images(2)), Expected(checksum="0" * 32))
    assert "0" * 32 in error.problem


@pytest.mark.parametrize(("more", "what"), [(1, "cut off"), (-1, "not the one expected")])
def test_a_wrong_size_is_an_error_before_anything_is_read(tmp_path: Path, more: int, what: str) -> None:
    assert what in refusal(tmp_path, "val", bytes(100), Expected(nbytes=100 + more)).problem


def test_an_archive_that_is_not_there_is_an_error_that_names_what_the_link_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link.tar"
    link.symlink_to(tmp_path / "gone.tar")
    for look in (lambda: scan("val", link, NOTHING, tmp_path / "out"), lambda: verify("devkit", link, NOTHING)):
        with pytest.raises(PrepError, match="is not there") as caught:
            look()
        assert caught.value.place == str(tmp_path / "gone.tar")


def test_a_folder_in_the_place_of_an_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match="no file"):
        verify("val", tmp_path, NOTHING)


@pytest.mark.parametrize("name", ["train", "val", "test", "train_t3"])
def test_an_archive_with_nothing_in_it_is_an_error(tmp_path: Path, name: str) -> None:
    assert "no image" in refusal(tmp_path, name, builders.tar({})).problem


def test_a_class_archive_with_nothing_in_it_is_an_error(tmp_path: Path) -> None:
    error = refusal(tmp_path, "train", class_tars({FOX: {f"{FOX}_1.JPEG": image()}, CRANE: {}}))
    assert error.member == f"{CRANE}.tar"
    assert "no image" in error.problem


@pytest.mark.parametrize(
    "name", ["n0211978.tar", "n02119789.tar.gz", "fox.tar", "train/n02119789.tar", "n02119789_1.JPEG"]
)
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
    monkeypatch.setattr(scanning, "IMAGE_LIMIT", 1000)
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
        scan("train", path, NOTHING, folder / "scan.parquet")
    except PrepError as error:
        assert error.place == str(path)
        assert builders.files_below(folder) == {"train.tar"}


# Archives of which only the checksum and the members are looked at


def test_a_compressed_archive_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "boxes.tar.gz"
    path.write_bytes(gzip.compress(builders.tar({"val/a.xml": b"<a/>", "val/b.xml": b"<b/>"})))
    receipt = verify("bbox_val", path, Expected("sha256", None, None))
    assert receipt["members"] == 2
    assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert receipt["expected"] is None


def test_of_a_json_file_only_the_checksum_is_made(tmp_path: Path) -> None:
    path = tmp_path / "real.json"
    path.write_text("[[1]]")
    receipt = verify("real_labels", path, NOTHING)
    assert (receipt["members"], receipt["md5"]) == (None, hashlib.md5(b"[[1]]").hexdigest())


def test_a_compressed_archive_of_a_wrong_checksum_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "devkit.tar.gz"
    path.write_bytes(gzip.compress(builders.tar({"a": b"1"})))
    with pytest.raises(PrepError, match="is expected"):
        verify("devkit", path, Expected(checksum="f" * 32))


def test_a_compressed_archive_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "devkit.tar.gz"
    path.write_bytes(gzip.compress(builders.tar({"a": image()}))[:-20])
    with pytest.raises(PrepError, match="cut off"):
        verify("devkit", path, NOTHING)


def test_a_receipt_holds_no_time(tmp_path: Path) -> None:
    path = tmp_path / "real.json"
    path.write_text("[]")
    first = verify("real_labels", path, NOTHING)
    path.touch()
    assert verify("real_labels", path, NOTHING) == first


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
