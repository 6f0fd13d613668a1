"""Whole small tar archives, compressed or not: their files, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import header
from formats.tarfiles import END, FILES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats.tar import read_files


@pytest.mark.parametrize("compressed", [False, True])
def test_files_are_read_from_plain_and_compressed_archives(tmp_path: Path, compressed: bool) -> None:
    data = builders.tar(FILES)
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(data) if compressed else data)
    assert {m.name: content for m, content in read_files(path)} == FILES


def test_every_cut_of_a_compressed_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    data = gzip.compress(builders.tar({"a": builders.image(), "b": builders.image(1)}))
    path = tmp_path / "a.tar.gz"
    for cut in [*range(30), *range(30, len(data), 101), len(data) - 1]:
        path.write_bytes(data[:cut])
        with pytest.raises(PrepError) as caught:
            builders.drained(read_files(path))
        assert caught.value.place == str(path)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_corrupt_archive_is_told_or_whole(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = gzip.compress(builders.tar(FILES), mtime=0)
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "corrupt.tar.gz"
    path.write_bytes(flipped)
    try:
        assert {m.name: content for m, content in read_files(path)} == FILES
    except PrepError as error:
        assert error.place == str(path)
        assert builders.is_one_line(error)


def test_a_compressed_web_page_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"<html></html>"))
    with pytest.raises(PrepError, match="not a tar archive"):
        builders.drained(read_files(path))


def test_a_member_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(builders.tar({"small": b"1", "bomb": bytes(1001)})))
    with pytest.raises(PrepError, match="1001 bytes") as caught:
        builders.drained(read_files(path, limit=1000))
    assert caught.value.member == "bomb"


def test_a_compressed_member_of_an_impossible_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(header("huge", b"\x80" + b"\xff" * 11) + END))
    with pytest.raises(PrepError) as caught:
        builders.drained(read_files(path))
    assert caught.value.member == "huge"
