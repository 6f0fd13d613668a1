"""Archives as the programs that people have write them: GNU tar, and bsdtar, which is the tar of macOS."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

import builders
from builders import header, padded
from formats.tarfiles import END, found_by_tarfile, members, refusal
from imagenet_prep.formats.passed_over import PassedOver
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import Member, walk

BINARY = b"\x00\xff\xfe\n17 path=other.JPEG\n\x80="
"""An attribute's value that is no text, and holds what looks like a record of its own."""

needs_bsdtar = pytest.mark.skipif(shutil.which("bsdtar") is None, reason="needs bsdtar (libarchive-tools)")

WRITERS = {
    "GNU tar with attributes": ["tar", "--xattrs", "--xattrs-include=*", "--format=pax"],
    "GNU tar with access lists": ["tar", "--acls", "--selinux", "--xattrs"],
    "bsdtar with attributes": ["bsdtar", "--xattrs", "--acls", "--format=pax"],
    "bsdtar": ["bsdtar"],
    "bsdtar, ustar": ["bsdtar", "--format=ustar"],
    "GNU tar, v7": ["tar", "--format=v7"],
    "GNU tar, oldgnu": ["tar", "--format=oldgnu"],
    "GNU tar with a label": ["tar", "--label=images of mine"],
    "GNU tar, incremental": ["tar", "--listed-incremental=../snapshot"],
    "GNU tar, with times": ["tar", "--format=pax", "--pax-option=comment=made on Monday,exthdr.name=%d/x/%f"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of images, one of which has attributes that are no text."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name, content in {**builders.val_images(3), "Ä" + "n" * 120 + ".JPEG": b"x"}.items():
        (folder / name).write_bytes(content)
    try:
        for name, value in {"user.binary": BINARY, "user.text": b"text"}.items():
            os.setxattr(folder / "ILSVRC2012_val_00000002.JPEG", name, value)
    except (OSError, AttributeError):
        pytest.skip("not possible here: this file system has no extended attributes")
    return folder


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_what_a_program_writes_is_read_as_it_lies_there(folder: Path, tmp_path: Path, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    if command[-1].endswith(("v7", "ustar")):  # these have no names of that length
        next(folder.glob("Ä*")).unlink()
    subprocess.run([*command, "-cf", "../a.tar", "."], cwd=folder, check=True)
    data = (tmp_path / "a.tar").read_bytes()
    found = {member.name: data[member.offset : member.offset + member.nbytes] for member in members(data)}
    assert found == {path.name: path.read_bytes() for path in folder.iterdir()}


@needs_bsdtar
def test_attributes_that_are_no_text_are_in_these_archives(folder: Path, tmp_path: Path) -> None:
    subprocess.run(["bsdtar", "--xattrs", "--format=pax", "-cf", "../a.tar", "."], cwd=folder, check=True)
    data = (tmp_path / "a.tar").read_bytes()
    assert b"SCHILY.xattr.user.binary=" + BINARY in data
    assert b"LIBARCHIVE.xattr.user.binary=" in data


@pytest.mark.parametrize(
    "record",
    [
        b"SCHILY.xattr.com.apple.FinderInfo=\xff\xfe\x00\x01",
        b"LIBARCHIVE.xattr.com.apple.quarantine=\xc3\x28",
        b"SCHILY.xattr.\xff\xfe=key that is no text",
        b"uname=J\xfcrgen",
        b"linkpath=\xff",
    ],
)
def test_only_values_that_are_needed_are_decoded(record: bytes) -> None:
    size = len(record) + 2  # the space and the line's end, and then the digits of the length itself
    length = next(n for n in range(size, size + 4) if len(str(n)) + size == n)
    line = b"%d %s\n" % (length, record)
    data = header("x", len(line), b"x") + padded(line) + header("a.JPEG", 1) + padded(b"1") + END
    assert members(data) == [Member("a.JPEG", 1536, 1)]


def test_a_name_that_is_no_text_is_named() -> None:
    line = b"10 path=\xfc\n"
    error = refusal(header("x", len(line), b"x") + padded(line) + header("a") + END)
    assert "the member's name is not UTF-8" in error.problem


@pytest.mark.parametrize(
    "name",
    ["._a.JPEG", "n01440764/._b.JPEG", ".DS_Store", "a/.DS_Store", "__MACOSX/a.JPEG", "Thumbs.db", "desktop.ini"],
)
def test_what_a_system_leaves_among_files_is_passed_over_and_counted(name: str) -> None:
    data = builders.tar([("a.JPEG", b"1"), (name, b"2" * 600), (name, b"again"), ("b.JPEG", b"3")])
    passed_over = PassedOver()
    with Stream(io.BytesIO(data)) as stream:
        found = list(walk(stream, "a.tar", end=len(data), passed_over=passed_over))
    assert found == [member for member in found_by_tarfile(data) if member.name != name]
    assert passed_over == PassedOver(2, [name, name])
    assert str(passed_over).startswith("2 members that are no part of the data set passed over: ")


def test_a_link_that_a_system_left_is_passed_over() -> None:
    data = header("._link.JPEG", 5, b"2", b"target") + header("a.JPEG") + END
    assert [member.name for member in members(data)] == ["a.JPEG"]


# Links


@pytest.mark.parametrize("length", [8, 150])
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_a_symbolic_link_is_named_with_what_it_leads_to_and_the_remedy_mends_it(
    tmp_path: Path, form: str, length: int
) -> None:
    target = tmp_path / "elsewhere" / ("t" * length)
    target.parent.mkdir()
    target.write_bytes(b"image")
    (tmp_path / "a.JPEG").symlink_to(target)
    command = ["tar", f"--format={form}", "-cf", "a.tar", "a.JPEG"]
    subprocess.run(command, cwd=tmp_path, check=True)
    error = refusal((tmp_path / "a.tar").read_bytes())
    assert error.problem == f"the member is a symbolic link to {str(target)!r}, and no file"
    options = [word for word in error.remedy.split() if word.startswith("--")]
    subprocess.run([command[0], *options, *command[1:]], cwd=tmp_path, check=True)
    assert [member.nbytes for member in members((tmp_path / "a.tar").read_bytes())] == [5]


def test_a_hard_link_is_named_with_what_it_leads_to_and_the_remedy_mends_it(tmp_path: Path) -> None:
    (tmp_path / "a.JPEG").write_bytes(b"image")
    (tmp_path / "b.JPEG").hardlink_to(tmp_path / "a.JPEG")
    command = ["tar", "-cf", "a.tar", "a.JPEG", "b.JPEG"]
    subprocess.run(command, cwd=tmp_path, check=True)
    error = refusal((tmp_path / "a.tar").read_bytes())
    assert (error.member, error.problem) == ("b.JPEG", "the member is a hard link to 'a.JPEG', and no file")
    options = [word for word in error.remedy.split() if word.startswith("--")]
    subprocess.run([command[0], *options, *command[1:]], cwd=tmp_path, check=True)
    assert [member.nbytes for member in members((tmp_path / "a.tar").read_bytes())] == [5, 5]


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_holes_that_were_left_out_are_told(tmp_path: Path, form: str) -> None:
    with open(tmp_path / "holes.JPEG", "wb") as file:
        file.truncate(1 << 20)
    subprocess.run(["tar", "--sparse", f"--format={form}", "-cf", "a.tar", "holes.JPEG"], cwd=tmp_path, check=True)
    error = refusal((tmp_path / "a.tar").read_bytes())
    assert "a sparse file" in error.problem
    assert "tar --sparse" in error.remedy


# What follows an archive


def test_archives_joined_as_tar_joins_them_are_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.tar").write_bytes(builders.tar({f"{name}.JPEG": name.encode() * 600}))
    subprocess.run(["tar", "--concatenate", "--file=a.tar", "b.tar"], cwd=tmp_path, check=True)
    found = members((tmp_path / "a.tar").read_bytes())
    assert [(member.name, member.nbytes) for member in found] == [("a.JPEG", 600), ("b.JPEG", 600)]


def test_archives_joined_as_cat_joins_files_are_told_apart(tmp_path: Path) -> None:
    first, second = builders.tar({"a.JPEG": b"1"}), builders.tar({"b.JPEG": b"2"})
    error = refusal(first + second)
    assert error.offset == len(first)
    assert error.problem.startswith("the archive ends at byte 1024, and another one begins here: two were joined")


@pytest.mark.parametrize("rest", [b"x", b"-----BEGIN PGP SIGNATURE-----\n" * 40, b"\xff" * 512, b"text" + bytes(400)])
def test_what_was_added_to_an_archive_is_told(rest: bytes) -> None:
    data = builders.tar({"a.JPEG": b"1" * 600})
    error = refusal(data + rest)
    assert error.problem == "the archive ends at byte 1536, and what follows it is no part of it"
    assert "truncate --size=2560 " in error.remedy


def test_members_behind_a_wiped_piece_are_not_cut_off() -> None:
    files = {"a.JPEG": b"1" * 600, "b.JPEG": b"2" * 2000, "c.JPEG": b"3"}
    for keep in (2, 3):  # the piece takes a header and the beginning of its content; behind it, members follow or not
        data = bytearray(builders.tar(dict(list(files.items())[:keep])))
        at = found_by_tarfile(bytes(data))[1].offset - 512
        data[at : at + 1024] = bytes(1024)
        error = refusal(bytes(data))
        assert "a block of it was wiped out" in error.problem
        assert "truncate" not in error.remedy


# Other files in an archive's place

PACKERS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}


@pytest.mark.parametrize("packer", PACKERS)
def test_a_compressed_archive_is_named_and_unpacked_by_the_command(tmp_path: Path, packer: str) -> None:
    if shutil.which(packer) is None:
        pytest.skip(f"needs {packer}")
    path, plain = tmp_path / "it's a.tar", builders.tar({"a.JPEG": b"1" * 600})
    path.write_bytes(plain)
    subprocess.run([packer, "-q", path], check=True)
    path.unlink(missing_ok=True)
    (tmp_path / f"{path.name}{PACKERS[packer]}").rename(path)
    data = path.read_bytes()
    with Stream(io.BytesIO(data)) as stream, pytest.raises(Exception, match=f"compressed by {packer}") as caught:
        builders.drained(walk(stream, str(path), end=len(data)))
    subprocess.run(caught.value.remedy.removeprefix("Unpack it: ").strip("`"), shell=True, check=True)
    assert path.read_bytes() == plain


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"\xef\xbb\xbf\n <html lang=en>", "a web page"),
        (b"PK\x03\x04" + bytes(600), "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "a 7z archive"),
        (builders.image(), "a JPEG image"),
        (b"%PDF-1.4", "a PDF"),
    ],
)
def test_what_is_in_an_archives_place_is_named(content: bytes, what: str) -> None:
    assert refusal(content).problem == f"this is not a tar archive but {what}"


def test_a_compressed_tar_in_a_tar_is_named(tmp_path: Path) -> None:
    (tmp_path / "n1.tar").write_bytes(builders.tar({"a.JPEG": b"1" * 600}))
    subprocess.run(["gzip", "-q", "n1.tar"], cwd=tmp_path, check=True)
    (tmp_path / "n1.tar.gz").rename(tmp_path / "n1.tar")
    subprocess.run(["tar", "-cf", "outer.tar", "n1.tar"], cwd=tmp_path, check=True)
    data = (tmp_path / "outer.tar").read_bytes()
    with Stream(io.BytesIO(data)) as stream, pytest.raises(Exception, match="but compressed by gzip") as caught:
        for outer in walk(stream, "outer.tar", end=len(data)):
            builders.drained(walk(stream, "outer.tar", end=outer.offset + outer.nbytes, within=outer.name))
    assert (caught.value.member, caught.value.offset) == ("n1.tar", 512)


def test_a_volume_of_several_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.JPEG").write_bytes(b"1" * 30000)
    command = ["tar", "-cM", "-L20", "-f", "one.tar", "-f", "two.tar", "a.JPEG"]
    subprocess.run(command, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    assert "the rest of a file that begins in another volume" in refusal((tmp_path / "two.tar").read_bytes()).problem
    assert "cut off" in refusal((tmp_path / "one.tar").read_bytes()).problem


def test_names_of_every_member_are_those_of_tarfile_whatever_attributes_there_are() -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("ä" * 70 + ".JPEG", "b.JPEG"):
            member = tarfile.TarInfo(name)
            member.pax_headers = {"SCHILY.xattr.user.x": "\udcff\udcfe", "mtime": "1.5"}
            archive.addfile(member)
    assert members(output.getvalue()) == found_by_tarfile(output.getvalue())
