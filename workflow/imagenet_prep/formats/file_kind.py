"""What a file is, by its first bytes, whatever its name says."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from imagenet_prep.formats import tar_header
from imagenet_prep.formats.remedies import NO_ARCHIVE

PEEK = 512
"""How many of the first bytes are looked at."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: for people, with its article.
        packed: whether it is an archive or compressed, so that other files are in it.
        suffix: that programs which unpack it want; empty where there is none.
        unpacker: the command that unpacks it in place, less that suffix; empty where there is none.
        is_image: whether it is an image.
    """

    name: str
    packed: bool = False
    suffix: str = ""
    unpacker: str = ""
    is_image: bool = False


GZIP_MAGIC = b"\x1f\x8b"
"""How what is compressed by gzip begins (RFC 1952)."""

TAR = Kind("a tar archive", packed=True, suffix=".tar")
GZIP = Kind("compressed by gzip", packed=True, suffix=".gz", unpacker="gunzip")
ZIP = Kind("a zip archive", packed=True, suffix=".zip")
WEB_PAGE = Kind("a web page")

_BEGINNINGS = (
    (GZIP_MAGIC, GZIP),
    (b"BZh", Kind("compressed by bzip2", packed=True, suffix=".bz2", unpacker="bunzip2")),
    (b"\xfd7zXZ\0", Kind("compressed by xz", packed=True, suffix=".xz", unpacker="unxz")),
    (b"\x28\xb5\x2f\xfd", Kind("compressed by zstd", packed=True, suffix=".zst", unpacker="unzstd --rm -q")),
    (b"\x1f\x9d", Kind("compressed by compress", packed=True, suffix=".Z", unpacker="uncompress")),
    (b"\x04\x22\x4d\x18", Kind("compressed by lz4", packed=True, suffix=".lz4", unpacker="unlz4 --rm -q")),
    (b"07070", Kind("a cpio archive", packed=True)),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", packed=True)),
    (b"Rar!\x1a\x07", Kind("a rar archive", packed=True)),
    (b"\xff\xd8\xff", Kind("a JPEG image", is_image=True)),
    (b"\x89PNG\r\n\x1a\n", Kind("a PNG image", is_image=True)),
    (b"GIF8", Kind("a GIF image", is_image=True)),
    (b"%PDF-", Kind("a PDF")),
)


def kind_of(beginning: bytes) -> Kind | None:
    """What a file is that begins with these bytes, `PEEK` of them or all that it has; None where that is not known."""
    for magic, kind in _BEGINNINGS:
        if beginning.startswith(magic):
            return kind
    if tar_header.begins(beginning):
        return TAR
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--")):
        return WEB_PAGE if b"html" in text or not text.startswith(b"<?xml") else None
    return None


def in_place_of_a_tar(beginning: bytes, place: str, *, nested: bool) -> tuple[str, str]:
    """What a file is where a tar archive is expected, and what to do.

    Args:
        beginning: its first bytes.
        place: its path.
        nested: whether it is a member of that file.
    """
    if not beginning:
        return "this is not a tar archive but empty (0 bytes)", NO_ARCHIVE
    kind = kind_of(beginning)
    problem = "this is not a tar archive" + (f" but {kind.name}" if kind else "")
    if not kind or not kind.packed:
        return problem, NO_ARCHIVE
    if nested:
        return problem, "Unpack it, and make the archive again with the plain tar in its place"
    if not kind.unpacker:
        return problem, "Unpack it, and make a plain tar of what is in it (docs/archives.md says how)"
    plain, packed = shlex.quote(os.path.abspath(place)), shlex.quote(os.path.abspath(place) + kind.suffix)
    return problem, f"Unpack it: `mv {plain} {packed} && {kind.unpacker} {packed}`"
