"""Zip archives as byte ranges: the members as the central directory lists them, read entry by entry.

The format is defined by PKWARE's APPNOTE.TXT, with the Zip64 extensions (4.5.3). Python's zipfile would hold every
entry in memory, of an archive that can have two million.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from imagenet_prep.errors import PrepError, reading

STORED, DEFLATED = 0, 8

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_LIMIT = 1 << 16
_LAST = 1 << 16  # bytes of the central directory
_EXTRA_GUESS = 64  # bytes of the extra field before a member's content, which are read along with that
_MEMBER_LIMIT = 1 << 30
_DAMAGED = "The archive is damaged or cut off: get it again from its source"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: path inside the archive.
        method: STORED or DEFLATED.
        crc32: of its content.
        packed: bytes that it takes in the archive.
        nbytes: length of its content.
        header_offset: where its local header begins.
    """

    name: str
    method: int
    crc32: int
    packed: int
    nbytes: int
    header_offset: int


def is_zip(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as a zip archive."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\3\4"
    except OSError:
        return False


def last_members(path: str | os.PathLike[str]) -> list[str]:
    """The names of some of the last files of the central directory; none where that cannot be read."""
    with open(path, "rb") as file:
        try:
            _, start, end = _directory(file.fileno(), os.fspath(path), os.fstat(file.fileno()).st_size)
        except PrepError:
            return []
        block = os.pread(file.fileno(), min(_LAST, end - start), max(start, end - _LAST))
    names, at = [], block.find(b"PK\1\2")
    while at >= 0 and at + _ENTRY.size <= len(block):
        head = _ENTRY.unpack_from(block, at)
        name = _name_of(block[at + _ENTRY.size :][: head[10]], head[3])
        names += [name] if not name.endswith("/") else []
        at = block.find(b"PK\1\2", at + _ENTRY.size + head[10])
    return names


def walk(path: str | os.PathLike[str]) -> Iterator[Member]:
    """Yield the members in the order of the central directory.

    Raises:
        PrepError: cut off, damaged, encrypted, or compressed in another way than deflate.
    """
    with open(path, "rb") as file, reading(path):
        size = os.fstat(file.fileno()).st_size
        entries, start, _ = _directory(file.fileno(), os.fspath(path), size)
        file.seek(start)
        for _ in range(entries):
            at = file.tell()
            head = file.read(_ENTRY.size)
            if len(head) < _ENTRY.size or head[:4] != b"PK\1\2":
                raise PrepError(path, "the central directory is damaged", _DAMAGED, offset=at)
            _, _, _, flags, method, _, _, crc, packed, nbytes, n, extra, comment, _, _, _, header = _ENTRY.unpack(head)
            name = _name_of(file.read(n), flags)
            packed, nbytes, header = _large(file.read(extra), packed, nbytes, header)
            file.seek(comment, os.SEEK_CUR)
            if name.endswith("/"):
                continue
            if flags & 1:
                raise PrepError(path, "the member is encrypted", "Get an archive without a password", member=name)
            if header + packed > size or nbytes > _MEMBER_LIMIT:
                problem = f"the member should have {nbytes} bytes, and {packed} of the archive from byte {header} on"
                raise PrepError(path, f"{problem}: that cannot be", _DAMAGED, member=name)
            if method not in (STORED, DEFLATED):
                problem = f"the member is compressed by method {method}, which nobody reads here"
                raise PrepError(path, problem, "Unpack the archive, and put the folder in its place", member=name)
            yield Member(name, method, crc, packed, nbytes, header)


def _name_of(raw: bytes, flags: int) -> str:
    """The path of a member; some programs of Windows write theirs with backslashes."""
    name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    return name if "/" in name else name.replace("\\", "/")


def read(descriptor: int, member: Member, place: str) -> tuple[int, bytes]:
    """Read a member; its content is compared with its CRC-32.

    Args:
        descriptor: of the archive, open for reading.
        member: what `walk` yields.
        place: the archive's name, for messages.

    Returns:
        The offset where the bytes of the member begin in the archive, and its content, inflated.

    Raises:
        PrepError: the archive ends before, or holds something else there.
    """
    block = os.pread(
        descriptor, _LOCAL.size + len(member.name.encode()) + _EXTRA_GUESS + member.packed, member.header_offset
    )
    problem = "the archive ends inside this member: it is cut off"
    if len(block) >= _LOCAL.size:
        head = _LOCAL.unpack_from(block)
        begin = _LOCAL.size + head[-2] + head[-1]
        packed = block[begin : begin + member.packed]
        if len(packed) < member.packed:
            packed = os.pread(descriptor, member.packed, member.header_offset + begin)
        content = _content(packed, member)
        if content is not None:
            return member.header_offset + begin, content
        problem = (
            "its bytes are not those of which the archive has a checksum" if len(packed) == member.packed else problem
        )
    raise PrepError(place, problem, _DAMAGED, member=member.name, offset=member.header_offset)


def _content(packed: bytes, member: Member) -> bytes | None:
    if member.method == DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            packed = inflate.decompress(packed, member.nbytes + 1)
        except zlib.error:
            return None
    return packed if len(packed) == member.nbytes and zlib.crc32(packed) == member.crc32 else None


def _large(extra: bytes, packed: int, nbytes: int, header: int) -> tuple[int, int, int]:
    """`packed`, `nbytes` and `header` of a member, from the Zip64 field where they do not fit into 32 bits."""
    values = [nbytes, packed, header]
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + size]
            for number, value in enumerate(values):
                if value == 0xFFFFFFFF and len(body) >= 8:
                    values[number], body = struct.unpack_from("<Q", body)[0], body[8:]
        at += 4 + size
    return values[1], values[0], values[2]


def _directory(descriptor: int, place: str, size: int) -> tuple[int, int, int]:
    """The number of entries of the central directory, its offset, and an offset where it has ended."""
    tail = os.pread(descriptor, _END.size + _COMMENT_LIMIT, max(0, size - _END.size - _COMMENT_LIMIT))
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise PrepError(place, "the archive has no central directory: it is cut off", _DAMAGED)
    _, _, _, _, entries, _, start, _ = _END.unpack_from(tail, at)
    before = tail[at - _LOCATOR.size : at] if at >= _LOCATOR.size else b""
    if before[:4] == b"PK\6\7":
        end = os.pread(descriptor, _END64.size, min(size, _LOCATOR.unpack(before)[2]))
        if len(end) < _END64.size or end[:4] != b"PK\6\6":
            raise PrepError(place, "the central directory is damaged", _DAMAGED)
        *_, entries, _, start = _END64.unpack(end)
    if start > size:
        raise PrepError(place, f"its central directory should begin at byte {start}, behind its end", _DAMAGED)
    return entries, start, max(0, size - len(tail)) + at
