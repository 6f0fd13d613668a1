"""Tar archives that are cut off, damaged, or none: how it is told, and that nothing else comes of it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import header, padded
from formats.tarfiles import END, FILES, FORMATS, formats, found_by_tarfile, members, refusal
from imagenet_prep.errors import PrepError
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import walk

# Cut off


@formats
def test_an_archive_cut_off_before_its_end_mark_is_an_error_wherever_the_cut_is(form: int) -> None:
    data = builders.tar(FILES, form)
    end = found_by_tarfile(data)[-1].offset + 1536
    for cut in sorted({*range(512, end + 1, 512), *range(1, end, 97), end}):
        error = refusal(data[:cut])
        assert "cut off" in error.problem or (cut < 512 and "not a tar archive" in error.problem), cut


def test_an_archive_cut_off_in_the_padding_behind_its_end_mark_lacks_nothing() -> None:
    data = builders.tar(FILES)
    end = found_by_tarfile(data)[-1].offset + 1536
    for cut in range(end + 512, len(data) + 1, 512):
        assert members(data[:cut]) == members(data)


def test_a_member_that_is_cut_off_is_named() -> None:
    data = builders.tar(FILES)
    error = refusal(data[: found_by_tarfile(data)[1].offset + 100])
    assert (error.member, error.offset) == ("b.JPEG", 1024)


def test_a_nested_archive_that_is_cut_off_is_named_with_its_member() -> None:
    data = builders.tar({"n1.tar": builders.tar(FILES)[:1600]})
    with Stream(io.BytesIO(data)) as stream, pytest.raises(PrepError, match="cut off") as caught:
        for outer in walk(stream, "train.tar", end=len(data)):
            builders.drained(walk(stream, "train.tar", end=outer.offset + outer.nbytes, within=outer.name))
    assert (caught.value.member, caught.value.offset) == ("n1.tar/b.JPEG", 512 + 1024)


def test_a_file_that_shrinks_while_it_is_read_is_cut_off() -> None:
    data = builders.tar(FILES)
    with Stream(io.BytesIO(data[:1100])) as stream, pytest.raises(PrepError, match="cut off"):
        builders.drained(walk(stream, "archive.tar", end=len(data)))


# Not an archive


def test_an_empty_file_is_an_error() -> None:
    assert "empty" in refusal(b"").problem


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"<html>" * 1000, builders.image(), b"\xff" * 512])
def test_a_file_that_is_no_archive_is_an_error(content: bytes) -> None:
    error = refusal(content)
    assert "not a tar archive" in error.problem
    assert error.offset == 0


def test_a_nested_archive_that_is_none_is_named() -> None:
    data = builders.tar({"n1.tar": b"<html>" * 300})
    with Stream(io.BytesIO(data)) as stream, pytest.raises(PrepError, match="not a tar archive") as caught:
        for outer in walk(stream, "train.tar", end=len(data)):
            builders.drained(walk(stream, "train.tar", end=outer.offset + outer.nbytes, within=outer.name))
    assert (caught.value.member, caught.value.offset) == ("n1.tar", 512)


# Damage


def test_a_header_wiped_with_zeros_is_no_end_of_the_archive() -> None:
    data = bytearray(builders.tar(FILES))
    data[1024:1536] = bytes(512)
    error = refusal(bytes(data))
    assert "byte 1024" in error.problem
    assert error.offset == 1536


def test_an_extended_header_whose_member_was_wiped_is_an_error() -> None:
    name = b"f" * 120 + b"\0"
    assert "no member" in refusal(header("././@LongLink", len(name), b"L") + padded(name) + END).problem


def test_a_damaged_header_is_an_error() -> None:
    data = bytearray(builders.tar(FILES))
    data[1024 + 5] ^= 1
    error = refusal(bytes(data))
    assert "header is damaged" in error.problem
    assert error.offset == 1024


@pytest.mark.parametrize(
    "size", [b"%011o\0" % (10 << 30), b"\x80" + (10 << 30).to_bytes(11, "big"), b"\x80" + b"\xff" * 11]
)
def test_a_size_that_the_archive_cannot_hold_is_an_error(size: bytes) -> None:
    error = refusal(header("huge.JPEG", size[:12]) + END)
    assert (error.member, error.offset) == ("huge.JPEG", 0)
    assert "cut off" in error.problem


@pytest.mark.parametrize("size", [b"no number!! ", b"-0000000010\0", b"+0000000010\0", b"0000_000_10\0", b"\xff" * 12])
def test_a_size_that_is_no_number_is_an_error(size: bytes) -> None:
    error = refusal(header("good") + header("bad", size) + END)
    assert "is no number" in error.problem
    assert error.offset == 512


@pytest.mark.parametrize(
    "records",
    [
        b"nonsense",
        b"99 path=a\n",
        b"0 path=a\n",
        b"-9 path=a\n",
        b"9 path=ab\n",
        b"10 path=ab",
        b"6 path\n",
        b"10 path=\xfc\n",
        b"999999999999999999999 path=a\n",
        b"13 size=-100\n",
        b"11 size=1k\n",
        b"14 size=\xd9\xa3\xd9\xa3\n",
        b"30 size=999999999999999999999\n",
        b"\0" * 20,
    ],
)
def test_a_damaged_pax_header_is_an_error(records: bytes) -> None:
    refusal(header("x", len(records), b"x") + padded(records) + header("a") + END)


def test_a_global_pax_header_that_names_a_path_is_refused() -> None:
    assert "global" in refusal(header("g", 9, b"g") + padded(b"9 path=a\n") + header("a") + END).problem


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_an_extended_header_of_gigabytes_is_not_read(kind: bytes) -> None:
    assert "claims" in refusal(header("x", 5 << 30, kind) + END).problem


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_corruption_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(list(FORMATS.values())))
    archive = bytearray(builders.tar({"a" * 90: b"1", "dir/b.JPEG": b"2" * 600, "n.tar": builders.tar(FILES)}, form))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(archive) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=16) | st.just(bytes(512)))
        archive[start : start + len(piece)] = piece
    whole = bytes(archive[: data.draw(st.integers(0, len(archive)))])
    try:
        with Stream(io.BytesIO(whole)) as stream:
            for outer in walk(stream, "archive.tar", end=len(whole)):
                if outer.name.endswith(".tar"):
                    builders.drained(walk(stream, "archive.tar", end=outer.offset + outer.nbytes, within=outer.name))
    except PrepError as error:
        assert error.offset is not None
        assert builders.is_one_line(error)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_header_of_any_bytes_with_a_right_checksum_is_read_or_refused(data: st.DataObject) -> None:
    crafted = b""
    for _ in range(data.draw(st.integers(1, 3))):
        kind = data.draw(st.sampled_from([b"0", b"\0", b"5", b"7", b"L", b"K", b"x", b"g", b"1", b"S"]))
        name = data.draw(st.binary(max_size=100))
        size = data.draw(st.integers(0, 2000) | st.binary(min_size=12, max_size=12))
        crafted += header(name, size, kind) + padded(data.draw(st.binary(max_size=1000)))
    try:
        members(crafted + END)
    except PrepError as error:
        assert error.offset is not None
        assert builders.is_one_line(error)
