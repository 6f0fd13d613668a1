"""Tar archives as byte ranges: where each member's content lies, found in one sequential pass.

Reads POSIX ustar, GNU (long names, base-256 sizes) and pax headers, also of archives inside archives. The formats are
defined by POSIX.1-2017 (`pax`, "ustar Interchange Format" and "pax Extended Header") and by the GNU tar manual
("Basic Tar Format"). What a dataset archive has no business to hold (links, devices, sparse members, names that lead
out of the folder, the same name twice) is refused.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from imagenet_prep.errors import PrepError
from imagenet_prep.formats.stream import Buffer, EndOfStream, Stream

BLOCK = 512
_ZEROS = bytes(BLOCK)
_HEADER_LIMIT = 1 << 20
_REGULAR = (b"0", b"\0", b"7")
_REFUSED = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}
DAMAGED = "The archive is damaged or was made by hand: get it again from its source and compare its checksum"
CUT_OFF = "Its download or copy stopped early: get it again, or continue it"


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file in an archive.

    Attributes:
        name: path inside the archive, `/` between its parts, without a leading `./`.
        offset: where its content begins, in bytes from the beginning of the (outermost) file.
        nbytes: length of its content.
    """

    name: str
    offset: int
    nbytes: int


def walk(stream: Stream, place: str, *, end: int, within: str | None = None) -> Iterator[Member]:
    """Yield the regular members in archive order; after each the caller may take its content from `stream`.

    Whatever the caller leaves of a member's content is passed over. A nested archive is read by calling `walk` again
    on the same stream, with `end` and `within` of its member, before asking for the next one.

    Args:
        stream: positioned at the beginning of the archive.
        place: the file's name, for messages.
        end: the offset in the stream where the archive must have ended.
        within: the name of the member that is this archive, for messages about nested ones.

    Raises:
        PrepError: not a tar archive, cut off, damaged, or holding what is refused; names member and offset.
    """
    seen: set[str] = set()
    start = stream.offset
    long_name: str | None = None
    pax: dict[str, str] = {}
    while True:
        at = stream.offset
        if at + BLOCK > end:
            raise _without_end_mark(place, within, at)
        try:
            header = bytes(stream.take(BLOCK))
        except EndOfStream as error:
            raise _without_end_mark(place, within, at) from error
        if header == _ZEROS:
            _only_padding(stream, end, place, within, at)
            return
        if not _checksum_holds(header):
            if at == start:
                problem = _in(within) + "this is not a tar archive"
                remedy = "Look at what it is (a web page saved in its place?), and get the archive again"
            else:
                problem, remedy = _in(within) + "a member's header is damaged", DAMAGED
            raise PrepError(place, problem, remedy, member=within, offset=at)
        kind = header[156:157]
        size = _size(header, place, within, at)
        content = at + BLOCK
        if content + size > end:
            name = long_name or _text(header[:100], place, within, at)
            raise PrepError(
                place,
                f"the member's content should reach byte {content + size}, but the archive ends at {end}: it is cut off",
                CUT_OFF,
                member=_inside(within, name),
                offset=at,
            )
        if kind in (b"L", b"K", b"x", b"g"):
            payload = bytes(_meta(stream, size, place, within, at))
            if kind == b"L":
                long_name = _text(payload, place, within, at)
            elif kind == b"x":
                pax = _pax(payload, place, within, at)
            elif kind == b"g" and not {"path", "size"}.isdisjoint(_pax(payload, place, within, at)):
                raise PrepError(place, "a global pax header names a path or size", DAMAGED, member=within, offset=at)
            continue
        if "size" in pax:
            size = _pax_size(pax["size"], end - content, place, within, at)
        name = pax.get("path") or long_name or _header_name(header, place, within, at)
        sparse = any(key.startswith("GNU.sparse") for key in pax)
        long_name, pax = None, {}
        if kind == b"5" or (kind == b"\0" and name.endswith("/")):
            _safe_name(name, place, within, at)
            stream.skip(_padded(size))
            continue
        if sparse or kind in _REFUSED or kind not in _REGULAR:
            what = "a sparse file" if sparse else _REFUSED.get(kind, f"of an unknown type ({kind!r})")
            raise PrepError(
                place,
                f"the member is {what}, which has no place in a dataset archive",
                DAMAGED,
                member=_inside(within, name),
                offset=at,
            )
        name = _safe_name(name, place, within, at)
        if name in seen:
            raise PrepError(
                place, "the archive holds this member twice", DAMAGED, member=_inside(within, name), offset=at
            )
        seen.add(name)
        yield Member(name, content, size)
        _skip_to(stream, content + _padded(size), min(end, content + _padded(size)), place, within, name)


def read_files(path: str | os.PathLike[str], *, limit: int = 64 << 20) -> Iterator[tuple[Member, bytes]]:
    """Yield each regular member of a plain or gzip-compressed archive with its content, in archive order.

    Offsets count the bytes of the uncompressed archive.

    Raises:
        PrepError: as `walk`; also for broken compression and for a member of more than `limit` bytes.
    """
    place = os.fspath(path)
    with open(path, "rb", buffering=0) as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with _broken_compression(place), Stream(_source(file, compressed)) as stream:
            end = (1 << 62) if compressed else os.fstat(file.fileno()).st_size
            for member in walk(stream, place, end=end):
                if member.nbytes > limit:
                    raise PrepError(
                        place,
                        f"the member has {member.nbytes} bytes, more than the {limit} that it can have",
                        DAMAGED,
                        member=member.name,
                        offset=member.offset,
                    )
                yield member, bytes(_take(stream, member.nbytes, place, member.name, member.offset))


@contextmanager
def _broken_compression(place: str) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise PrepError(place, "the compressed archive is cut off", CUT_OFF) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise PrepError(place, f"its compression is broken ({error})", DAMAGED) from error


def _source(file: BinaryIO, compressed: bool) -> BinaryIO:
    return gzip.GzipFile(fileobj=file) if compressed else file  # type: ignore[return-value]


def _take(stream: Stream, n: int, place: str, member: str | None, at: int) -> Buffer:
    try:
        return stream.take(n)
    except EndOfStream as error:
        raise PrepError(
            place, f"{n} bytes should follow, but only {error.available} do: it is cut off", CUT_OFF, member=member, offset=at
        ) from error


def _skip_to(stream: Stream, padded_end: int, end: int, place: str, within: str | None, name: str) -> None:
    try:
        stream.skip(max(0, min(padded_end, end) - stream.offset))
    except EndOfStream as error:
        raise PrepError(
            place, "the archive ends inside this member: it is cut off", CUT_OFF, member=_inside(within, name), offset=stream.offset
        ) from error


def _without_end_mark(place: str, within: str | None, at: int) -> PrepError:
    problem = _in(within) + "the archive stops without its end mark: it is cut off"
    return PrepError(place, problem, CUT_OFF, member=within, offset=at)


def _only_padding(stream: Stream, end: int, place: str, within: str | None, mark: int) -> None:
    """Pass over what follows the end mark. A member behind it would be lost without a word, so none may be there."""
    while stream.offset < end:
        at = stream.offset
        try:
            block = stream.take(min(BLOCK, end - at))
        except EndOfStream:
            stream.drain()
            return
        if block != _ZEROS[: len(block)]:
            raise PrepError(
                place,
                _in(within) + f"an end mark at byte {mark} is followed by more data: a block of it was wiped out",
                DAMAGED,
                member=within,
                offset=at,
            )


def _meta(stream: Stream, size: int, place: str, within: str | None, at: int) -> Buffer:
    if size > _HEADER_LIMIT:
        raise PrepError(place, f"an extended header claims {size} bytes", DAMAGED, member=within, offset=at)
    return _take(stream, _padded(size), place, within, at)[:size]


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _checksum_holds(header: bytes) -> bool:
    try:
        stored = int(header[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return stored == sum(header) - sum(header[148:156]) + 8 * 32


def _size(header: bytes, place: str, within: str | None, at: int) -> int:
    field = header[124:136]
    if field[0] & 0x80:  # GNU base-256, for sizes of 8 GiB and more
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise PrepError(place, f"a member's size is no number: {field!r}", DAMAGED, member=within, offset=at) from None


def _pax_size(text: str, room: int, place: str, within: str | None, at: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) > room:
        raise PrepError(
            place, f"a pax header gives a size of {text!r}, which cannot be", DAMAGED, member=within, offset=at
        )
    return int(text)


def _header_name(header: bytes, place: str, within: str | None, at: int) -> str:
    name = _text(header[:100], place, within, at)
    if header[257:263] == b"ustar\0" and header[345]:
        return _text(header[345:500], place, within, at) + "/" + name
    return name


def _text(field: bytes, place: str, within: str | None, at: int) -> str:
    try:
        return field.split(b"\0", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        raise PrepError(
            place, f"a member's name is not UTF-8: {field.rstrip(bytes(1))!r}", DAMAGED, member=within, offset=at
        ) from None


def _pax(payload: bytes, place: str, within: str | None, at: int) -> dict[str, str]:
    """The records of a pax extended header, each `<length> <key>=<value>\\n` with a length in decimal."""
    records: dict[str, str] = {}
    position = 0
    while position < len(payload):
        digits, _, _ = payload[position : position + 12].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = payload[position + len(digits) + 1 : position + length]
        key, equals, value = record.partition(b"=")
        if length <= len(digits) or not equals or value[-1:] != b"\n":
            raise PrepError(place, "a pax header is damaged", DAMAGED, member=within, offset=at)
        try:
            records[key.decode("utf-8")] = value[:-1].decode("utf-8")
        except UnicodeDecodeError:
            raise PrepError(place, "a pax header is not UTF-8", DAMAGED, member=within, offset=at) from None
        position += length
    return records


def _safe_name(name: str, place: str, within: str | None, at: int) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not name.isprintable():
        raise PrepError(
            place,
            f"the member's name {name!r} is absolute, leads out of the folder, or is not printable",
            DAMAGED,
            member=_inside(within, name),
            offset=at,
        )
    return "/".join(parts)


def _in(within: str | None) -> str:
    return "inside this member, " if within is not None else ""


def _inside(within: str | None, name: str) -> str:
    return f"{within}/{name}" if within is not None else name
