"""Zip archives as byte ranges."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import is_one_line
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import zip_archive

FILES = {"a/fox.JPEG": b"fox" * 100, "b/empty": b"", "b/crane ü.JPEG": os.urandom(3000)}


def archive(path: Path, method: int = zipfile.ZIP_STORED, comment: bytes = b"", *, large: bool = False) -> Path:
    """An archive as Python's zipfile writes it, with Zip64 fields or without."""
    with zipfile.ZipFile(path, "w", method) as output:
        output.comment = comment
        output.mkdir("b")
        for name, content in FILES.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with output.open(info, "w", force_zip64=large) as member:
                member.write(content)
    return path


def contents(path: Path) -> dict[str, tuple[int, bytes]]:
    with open(path, "rb") as file:
        return {it.name: zip_archive.read(file.fileno(), it, str(path)) for it in zip_archive.walk(path)}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("comment", [b"", b"of an archive" * 1000])
def test_stored_members_are_byte_ranges(tmp_path: Path, comment: bytes, large: bool) -> None:
    path = archive(tmp_path / "a.zip", comment=comment, large=large)
    found = contents(path)
    assert {name: content for name, (_, content) in found.items()} == FILES
    for offset, content in found.values():
        assert path.read_bytes()[offset : offset + len(content)] == content


def test_deflated_members_are_unpacked(tmp_path: Path) -> None:
    found = contents(archive(tmp_path / "a.zip", zipfile.ZIP_DEFLATED))
    assert {name: content for name, (_, content) in found.items()} == FILES


def test_the_zip64_end_of_an_archive_of_many_members_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    assert contents(archive(tmp_path / "a.zip")).keys() == FILES.keys()


def test_what_nobody_can_read_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", zipfile.ZIP_BZIP2)
    with pytest.raises(PrepError, match="method 12") as caught:
        contents(path)
    assert caught.value.member == next(iter(FILES))


def test_an_archive_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PrepError, match="no central directory: it is cut off"):
        contents(path)


def test_a_flipped_bit_in_a_member_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip")
    with zipfile.ZipFile(path) as whole:
        at = whole.getinfo("a/fox.JPEG").header_offset + 60
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    with pytest.raises(PrepError, match="its bytes are not those of which the archive has a checksum"):
        contents(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_gives_one_line_or_what_was_there(tmp_path: Path, data: st.DataObject) -> None:
    path = archive(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, large=data.draw(st.booleans()))
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        found = contents(path)
    except PrepError as error:
        assert is_one_line(error)
    else:
        assert {content for _, content in found.values()} <= set(FILES.values())


def test_what_is_no_zip_is_told_apart(tmp_path: Path) -> None:
    assert zip_archive.is_zip(archive(tmp_path / "a.zip"))
    with zipfile.ZipFile(output := io.BytesIO(), "w"):
        pass
    (tmp_path / "b").write_bytes(output.getvalue())
    assert not zip_archive.is_zip(tmp_path / "b")
    assert not zip_archive.is_zip(tmp_path / "c")
