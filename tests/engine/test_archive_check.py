"""Verifying archives: their receipts, and what is refused before anybody reads their images."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

import builders
from builders import image
from engine.scans import NOTHING, refusal, scanned
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected, introduce, verify
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError


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


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (builders.tar(builders.val_images(2)), "not the one expected", "Put it elsewhere"),
        (builders.tar(builders.val_images(2))[:-10300], "cut off", "Have its download continued"),
    ],
    ids=["a whole archive", "the beginning of one"],
)
def test_a_small_archive_that_is_whole_is_another_one(tmp_path: Path, content: bytes, what: str, remedy: str) -> None:
    error = refusal(tmp_path, "train", content, Expected(nbytes=len(content) + 1))
    assert f"it is {what}" in error.problem
    assert error.remedy.startswith(remedy)


def test_an_archive_that_is_not_there_is_an_error_that_names_what_the_link_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link.tar"
    link.symlink_to(tmp_path / "gone.tar")
    out = tmp_path / "out"
    for look in (lambda: scan("val", link, NOTHING, out, ILSVRC2012), lambda: verify("devkit", link, NOTHING)):
        with pytest.raises(PrepError, match="is not there") as caught:
            look()
        assert caught.value.place == str(tmp_path / "gone.tar")


def test_a_file_used_under_another_name_is_introduced_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, link = tmp_path / "my.tar", tmp_path / "val.tar"
    file.write_bytes(b"")
    link.symlink_to(file)
    with caplog.at_level("INFO"):
        introduce(file)
        assert not caplog.messages
        introduce(link)
    assert caplog.messages == [f"val.tar is the file {file}"]


def test_a_folder_in_the_place_of_an_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match="no file"):
        verify("val", tmp_path, NOTHING)


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
