"""Tar archives as byte ranges: where tarfile says that members lie, and what is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import header, padded
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tar
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import Member, read_files, walk

FORMATS = {"GNU": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT}
FILES = {"a.JPEG": b"first", "b.JPEG": b"x" * 512, "empty": b"", "c.JPEG": bytes(1500)}
END = bytes(1024)

formats = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def members(data: bytes) -> list[Member]:
    with Stream(io.BytesIO(data)) as stream:
        return list(walk(stream, "archive.tar", end=len(data)))


def found_by_tarfile(data: bytes) -> list[Member]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [Member(file.name, file.offset_data, file.size) for file in archive if file.isfile()]


def refusal(data: bytes) -> PrepError:
    with pytest.raises(PrepError) as caught:
        members(data)
    assert caught.value.place == "archive.tar"
    assert caught.value.offset is not None
    assert builders.is_one_line(caught.value)
    return caught.value


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


# What has no business in a dataset archive


@pytest.mark.parametrize("name", ["../a", "a/../../b", "a/..", "..", "/a", "//a", "/etc/passwd"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    error = refusal(header("good") + header(name) + END)
    assert (error.member, error.offset) == (name, 512)


@pytest.mark.parametrize("name", ["/abs/", "../up/"])
def test_a_folder_that_lies_outside_is_refused(name: str) -> None:
    assert refusal(header(name, 0, b"5") + END).member == name


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\u2028b"])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    assert refusal(header(name) + END).member == name


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    assert r"f\xfcchse" in refusal(header(b"f\xfcchse") + END).problem


@pytest.mark.parametrize("name", ["", ".", "./"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    assert "no name" in refusal(header(name) + END).problem


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (b"1", "a hard link"),
        (b"2", "a symbolic link"),
        (b"3", "a character device"),
        (b"4", "a block device"),
        (b"6", "a named pipe"),
        (b"S", "a sparse file"),
        (b"V", "unknown type"),
    ],
)
def test_what_is_no_regular_file_is_refused(kind: bytes, what: str) -> None:
    error = refusal(header("good", 1) + padded(b"1") + header("bad", 0, kind, b"target") + END)
    assert (error.member, error.offset) == ("bad", 1024)
    assert what in error.problem


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
@formats
def test_links_and_devices_of_every_format_are_refused(form: int, kind: bytes) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=form) as archive:
        special = tarfile.TarInfo("special")
        special.type, special.linkname = kind, "elsewhere" * (12 if form != tarfile.USTAR_FORMAT else 1)
        archive.addfile(special)
    assert refusal(output.getvalue()).member == "special"


def test_a_sparse_file_of_a_pax_archive_is_refused() -> None:
    record = b"22 GNU.sparse.major=1\n"
    error = refusal(header("x", len(record), b"x") + padded(record) + header("holes", 0) + END)
    assert (error.member, error.offset) == ("holes", 1024)
    assert "sparse" in error.problem


@pytest.mark.parametrize("again", ["a.JPEG", "./a.JPEG"])
def test_the_same_member_twice_is_refused(again: str) -> None:
    error = refusal(builders.tar([("a.JPEG", b"1"), ("b", b"2"), (again, b"3")]))
    assert (error.member, error.offset) == (again, 2048)


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


def test_a_name_longer_than_any_path_is_refused() -> None:
    assert refusal(builders.tar({"n" * 4097: b"x"})).problem == "the member's name has 4097 characters"


def test_names_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "_NAMES_LIMIT", 1000)
    assert len(members(builders.tar({f"{number}": b"" for number in range(9)}))) == 9
    assert "more members" in refusal(builders.tar({f"{number}": b"" for number in range(10)})).problem


# Whole small archives, compressed or not


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
def test_a_corrupt_compressed_archive_is_an_error_or_whole(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
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
