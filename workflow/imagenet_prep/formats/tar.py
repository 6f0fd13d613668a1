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
from io import FileIO

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import tar_header as header
from imagenet_prep.formats.stream import Buffer, EndOfStream, Readable, Stream
from imagenet_prep.formats.tar_header import BLOCK

_ZEROS = bytes(BLOCK)
_HEADER_LIMIT = 1 << 20
# A few MB of compressed headers can hold gigabytes of names. These are twice those of ImageNet's largest archive.
_NAMES_LIMIT = 256 << 20
_NAME_BYTES = 100  # that a name takes in memory beside its characters
_EXTENDED = (b"L", b"K", b"x", b"g")
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
NO_ARCHIVE = "Look at what it is (a web page saved in its place?), and get the archive again"
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
    names = 0
    start = stream.offset
    long_name: str | None = None
    pax: dict[str, str] = {}
    while True:
        at = stream.offset
        block = _header(stream, place, end, within, at, start)
        if block == _ZEROS:
            if long_name is not None or pax:
                raise PrepError(
                    place,
                    _in(within) + "an extended header is followed by no member",
                    DAMAGED,
                    member=within,
                    offset=at,
                )
            _only_padding(stream, end, place, within, at)
            return
        name = long_name
        try:
            kind = block[156:157]
            size = header.size(block)
            if kind in _EXTENDED:
                payload = bytes(_meta(stream, size, end, place, within, at))
                if kind == b"L":
                    long_name = header.text(payload)
                elif kind == b"x":
                    pax = header.pax(payload)
                elif kind == b"g" and not {"path", "size"}.isdisjoint(header.pax(payload)):
                    raise ValueError("the global pax header names a path or size")
                continue
            name = pax.get("path") or long_name or header.name(block)
            given = header.pax_size(pax)
            size = size if given is None else given
            sparse = any(key.startswith("GNU.sparse") for key in pax)
            long_name, pax = None, {}
            is_folder = kind == b"5" or (kind == b"\0" and name.endswith("/"))
            safe = header.safe_name(name)
            if not safe and not is_folder:
                raise ValueError("the member has no name")
            if sparse or (kind not in _REGULAR and not is_folder):
                what = "a sparse file" if sparse else _REFUSED.get(kind, f"of an unknown type ({kind!r})")
                raise ValueError(f"the member is {what}, which has no place in a dataset archive")
            if safe in seen and not is_folder:
                raise ValueError("the archive holds this member twice")
            names += _NAME_BYTES + len(safe)
            if names > _NAMES_LIMIT:
                limit = f"they take more than {_NAMES_LIMIT >> 20} MB"
                raise ValueError(f"the archive has more members, or longer names, than that of a dataset: {limit}")
        except ValueError as error:
            member = within if name is None else _inside(within, name)
            raise PrepError(place, str(error), DAMAGED, member=member, offset=at) from error
        if is_folder:  # the size of a folder, where one is written, is not that of any content
            continue
        seen.add(safe)
        content = at + BLOCK
        if content + size > end:
            raise PrepError(
                place,
                f"the member's content should reach byte {content + size}, but the archive ends before: it is cut off",
                CUT_OFF,
                member=_inside(within, safe),
                offset=at,
            )
        yield Member(safe, content, size)
        _skip_to(stream, min(end, content + _padded(size)), place, _inside(within, safe), at)


def read_files(path: str | os.PathLike[str], *, limit: int = 64 << 20) -> Iterator[tuple[Member, bytes]]:
    """Yield each regular member of a plain or gzip-compressed archive with its content, in archive order.

    Offsets count the bytes of the uncompressed archive.

    Raises:
        PrepError: as `walk`; also for broken compression and for a member of more than `limit` bytes.
    """
    place = os.fspath(path)
    with open(path, "rb", buffering=0) as file, reading(place):
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with broken_compression(place), Stream(_source(file, compressed)) as stream:
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


def members(path: str | os.PathLike[str]) -> Iterator[Member]:
    """Yield each regular member of a plain or gzip-compressed archive; raises as `read_files`."""
    place = os.fspath(path)
    with open(path, "rb", buffering=0) as file, reading(place):
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with broken_compression(place), Stream(_source(file, compressed)) as stream:
            yield from walk(stream, place, end=(1 << 62) if compressed else os.fstat(file.fileno()).st_size)


@contextmanager
def broken_compression(place: str) -> Iterator[None]:
    """Say what is wrong with an archive whose compression the block finds cut off or broken."""
    try:
        yield
    except EOFError as error:
        raise PrepError(place, "the compressed archive is cut off", CUT_OFF) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise PrepError(place, f"its compression is broken ({error})", DAMAGED) from error


def _source(file: FileIO, compressed: bool) -> Readable:
    return gzip.GzipFile(fileobj=file) if compressed else file


def _take(stream: Stream, n: int, place: str, member: str | None, at: int) -> Buffer:
    try:
        return stream.take(n)
    except EndOfStream as error:
        raise PrepError(
            place,
            f"{n} bytes should follow, but only {error.available} do: it is cut off",
            CUT_OFF,
            member=member,
            offset=at,
        ) from error


def _skip_to(stream: Stream, end: int, place: str, member: str, at: int) -> None:
    try:
        stream.skip(max(0, end - stream.offset))
    except EndOfStream as error:
        raise PrepError(
            place, "the archive ends inside this member: it is cut off", CUT_OFF, member=member, offset=at
        ) from error


def _header(stream: Stream, place: str, end: int, within: str | None, at: int, start: int) -> bytes:
    """The next block, a whole header by its checksum or all zeros."""
    wanted = min(BLOCK, max(0, end - at))
    try:
        block = bytes(stream.take(wanted))
        available = wanted
    except EndOfStream as error:
        block, available = b"", error.available
    if block == _ZEROS or (len(block) == BLOCK and header.checksum_holds(block)):
        return block
    if at > start:
        if available == BLOCK:
            problem, remedy = "a member's header is damaged", DAMAGED
        else:
            problem, remedy = "the archive stops without its end mark: it is cut off", CUT_OFF
    elif available:
        problem, remedy = "this is not a tar archive", NO_ARCHIVE
    else:
        problem, remedy = "this is not a tar archive but empty (0 bytes)", NO_ARCHIVE
    raise PrepError(place, _in(within) + problem, remedy, member=within, offset=at)


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


def _meta(stream: Stream, size: int, end: int, place: str, within: str | None, at: int) -> Buffer:
    if size > _HEADER_LIMIT:
        raise ValueError(f"an extended header claims {size} bytes")
    if at + BLOCK + _padded(size) > end:
        raise PrepError(
            place,
            _in(within) + "the archive ends inside an extended header: it is cut off",
            CUT_OFF,
            member=within,
            offset=at,
        )
    return _take(stream, _padded(size), place, within, at)[:size]


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _in(within: str | None) -> str:
    return "inside this member, " if within is not None else ""


def _inside(within: str | None, name: str) -> str:
    return f"{within}/{name}" if within is not None else name
