"""Tar archives as byte ranges: where tarfile says that members lie."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import header, padded
from formats.tarfiles import END, FILES, formats, found_by_tarfile, members
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import Member, walk


@formats
def test_members_lie_where_tarfile_finds_them(form: int) -> None:
    data = builders.tar(FILES, form)
    assert members(data) == found_by_tarfile(data)


@formats
def test_the_bytes_of_a_range_are_those_of_the_member(form: int) -> None:
    data = builders.tar(FILES, form)
    assert {m.name: data[m.offset : m.offset + m.nbytes] for m in members(data)} == FILES


@formats
@pytest.mark.parametrize("length", [99, 100, 101, 155, 200])
def test_long_names_are_read(form: int, length: int) -> None:
    name = ("d" * 50 + "/") * (length // 51) + "f" * (length % 51)
    assert [m.name for m in members(builders.tar({name: b"1", "next": b"2"}, form))] == [name, "next"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["GNU", "pax"])
@pytest.mark.parametrize("length", [256, 257, 600, 4000])
def test_names_longer_than_ustar_can_hold_are_read(form: int, length: int) -> None:
    data = builders.tar({"f" * length: b"1", "next": b"2"}, form)
    assert members(data) == found_by_tarfile(data)


@formats
def test_a_name_that_is_not_ascii_is_read(form: int) -> None:
    assert [m.name for m in members(builders.tar({"Füchse/ü.JPEG": b"1"}, form))] == ["Füchse/ü.JPEG"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["GNU", "pax"])
@given(st.dictionaries(st.from_regex(r"[a-z]{1,120}(/[a-z]{1,90}){0,3}", fullmatch=True), st.binary(max_size=1100)))
@settings(max_examples=40, deadline=None)
def test_any_files_are_found_where_tarfile_finds_them(form: int, files: dict[str, bytes]) -> None:
    data = builders.tar(files, form)
    assert members(data) == found_by_tarfile(data)


def test_a_base_256_size_is_read() -> None:
    data = header("a", b"\x80" + (700).to_bytes(11, "big")) + padded(bytes(700)) + header("b", 1) + padded(b"b") + END
    assert members(data) == [Member("a", 512, 700), Member("b", 2048, 1)]


def test_a_pax_size_goes_before_that_of_the_header() -> None:
    record = b"12 size=700\n"
    extended = header("x", len(record), b"x") + padded(record)
    data = extended + header("a", 0) + padded(bytes(700)) + header("b", 1) + padded(b"b") + END
    assert members(data) == [Member("a", 1536, 700), Member("b", 3072, 1)]


def test_a_global_pax_header_with_a_comment_is_passed_over() -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "hi"}) as archive:
        archive.addfile(tarfile.TarInfo("a"))
    assert [m.name for m in members(output.getvalue())] == ["a"]


def test_a_leading_dot_is_no_part_of_a_name() -> None:
    assert [m.name for m in members(builders.tar({"./test/a.JPEG": b"1", "b//c": b"2"}))] == ["test/a.JPEG", "b/c"]


def test_folders_are_passed_over_and_their_size_is_that_of_no_content() -> None:
    data = header("./", 0, b"5") + header("test/", 4096, b"5") + header("old/", 0, b"\0") + header("test/a") + END
    assert members(data) == [Member("test/a", 2048, 0)]


def test_an_archive_of_nothing_has_no_members() -> None:
    assert members(bytes(10240)) == []


def test_one_block_of_zeros_is_end_mark_enough() -> None:
    assert [m.name for m in members(header("a") + bytes(512))] == ["a"]


def test_nested_archives_are_read_in_the_same_pass() -> None:
    inner = {"n2.tar": builders.tar(FILES), "n1.tar": builders.tar({"z": b"zz"}, tarfile.PAX_FORMAT)}
    data = builders.tar(inner)
    found = {}
    with Stream(io.BytesIO(data)) as stream:
        for outer in walk(stream, "train.tar", end=len(data)):
            end = outer.offset + outer.nbytes
            for m in walk(stream, "train.tar", end=end, within=outer.name):
                found[outer.name, m.name] = data[m.offset : m.offset + m.nbytes]
    assert found == {("n2.tar", name): content for name, content in FILES.items()} | {("n1.tar", "z"): b"zz"}


def test_content_may_be_taken_or_left() -> None:
    data = builders.tar(FILES)
    with Stream(io.BytesIO(data)) as stream:
        taken = {m.name: bytes(stream.take(m.nbytes)) for m in walk(stream, "a.tar", end=len(data)) if m.nbytes == 512}
    assert taken == {"b.JPEG": FILES["b.JPEG"]}
