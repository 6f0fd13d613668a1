"""Members that have no business in a dataset archive: what is refused, and what is said of it."""

from __future__ import annotations

import io
import tarfile

import pytest

import builders
from builders import header, padded
from formats.tarfiles import END, formats, members, refusal
from imagenet_prep.formats import tar


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
        (b"M", "another volume"),
        (b"Z", "unknown type"),
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


def test_a_name_longer_than_any_path_is_refused() -> None:
    assert refusal(builders.tar({"n" * 4097: b"x"})).problem == "the member's name has 4097 characters"


def test_names_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "_NAMES_LIMIT", 1000)
    assert len(members(builders.tar({f"{number}": b"" for number in range(9)}))) == 9
    assert "more members" in refusal(builders.tar({f"{number}": b"" for number in range(10)})).problem
