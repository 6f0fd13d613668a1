"""Tar archives as byte ranges: where each member's content lies, found in one sequential pass.

Reads POSIX ustar, GNU (long names, base-256 sizes) and pax headers, also of archives inside archives. The formats are
defined by POSIX.1-2017 (`pax`, "ustar Interchange Format" and "pax Extended Header") and by the GNU tar manual
("Basic Tar Format"). Extended attributes, which GNU tar and bsdtar write, are passed over as they are; so are volume
labels, and the files that systems leave among others. What a dataset archive has no business to hold (links, devices,
sparse members, names that lead out of the folder, the same name twice) is refused.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import tar_header as header
from imagenet_prep.formats.file_kind import GZIP_MAGIC, in_place_of_a_tar
from imagenet_prep.formats.passed_over import PassedOver, is_left_by_a_system
from imagenet_prep.formats.remedies import CUT_OFF, DAMAGED
from imagenet_prep.formats.stream import Buffer, EndOfStream, Stream
from imagenet_prep.formats.tar_end import expect_padding
from imagenet_prep.formats.tar_header import BLOCK

_ZEROS = bytes(BLOCK)
_HEADER_LIMIT = 1 << 20
# A few MB of compressed headers can hold gigabytes of names. These are twice those of ImageNet's largest archive.
_NAMES_LIMIT = 256 << 20
_NAME_BYTES = 100  # that a name takes in memory beside its characters
_EXTENDED = (b"L", b"K", b"x", b"g")
_REGULAR = (b"0", b"\0", b"7")
_VOLUME_LABEL = b"V"
_FOLDER_WITH_NAMES = b"D"  # of an incremental backup: its content are the names of what the folder held
_LINKS = {b"1": "a hard link", b"2": "a symbolic link"}
_NAME_FIELD = 100
_REFUSED = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"M": "the rest of a file that begins in another volume",
    b"S": "a sparse file",
}
OF_FILES = (
    "The archive was made of links: make it again of the files that they lead to, with GNU tar: "
    "tar --dereference --hard-dereference -cf <archive> <files>"
)
WITHOUT_HOLES = "The archive was made with tar --sparse: make it again without that"


class _Refused(ValueError):
    """What a member is that has no place here, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(slots=True)  # frozen, one would take longer to make than a header to read
class Member:
    """A regular file in an archive.

    Attributes:
        name: path inside the archive, `/` between its parts, without a leading `./`.
        offset: where its content begins, in bytes from the beginning of the (outermost) file.
        nbytes: length of its content.
        is_named_in_header: whether the block before its content begins with the whole name.
    """

    name: str
    offset: int
    nbytes: int
    is_named_in_header: bool = field(default=True, compare=False)


def walk(
    stream: Stream, place: str, *, end: int, within: str | None = None, passed_over: PassedOver | None = None
) -> Iterator[Member]:
    """Yield the regular members in archive order; after each the caller may take its content from `stream`.

    Whatever the caller leaves of a member's content is passed over. A nested archive is read by calling `walk` again
    on the same stream, with `end` and `within` of its member, before asking for the next one.

    Args:
        stream: positioned at the beginning of the archive.
        place: the file's name, for messages.
        end: the offset in the stream where the archive must have ended.
        within: the name of the member that is this archive, for messages about nested ones.
        passed_over: counts the members that a system left there, which are not yielded.

    Raises:
        PrepError: not a tar archive, cut off, damaged, or holding what is refused; names member and offset.
    """
    seen: set[str] = set()
    names = 0
    start = stream.offset
    long_name: str | None = None
    long_target: bytes | None = None
    pax: dict[bytes, bytes] = {}
    while True:
        at = stream.offset
        block = _header(stream, place, end, within, at, start)
        if block == _ZEROS:
            if long_name is not None or pax:
                problem = _in(within) + "an extended header is followed by no member"
                raise PrepError(place, problem, DAMAGED, member=within, offset=at)
            expect_padding(stream, end, place, within, at)
            return
        name = long_name
        try:
            kind = block[156:157]
            size = header.size(block)
            if kind in _EXTENDED:
                payload = bytes(_meta(stream, size, end, place, within, at))
                if kind == b"L":
                    long_name = header.text(payload)
                elif kind == b"K":
                    long_target = payload
                elif kind == b"x":
                    pax = header.pax(payload)
                elif not {b"path", b"size"}.isdisjoint(header.pax(payload)):
                    raise ValueError("the global pax header names a path or size")
                continue
            name = (pax and header.pax_name(pax)) or long_name or header.name(block)
            if pax and (given := header.pax_size(pax)) is not None:
                size = given
            is_folder = kind in (b"5", _FOLDER_WITH_NAMES) or (kind == b"\0" and name.endswith("/"))
            safe = header.safe_name(name)
            if not safe and not is_folder:
                raise ValueError("the member has no name")
            is_foreign = kind == _VOLUME_LABEL or (is_left_by_a_system(safe) and not is_folder)
            if not (is_folder or is_foreign):
                _expect_regular(block, pax, long_target)
                if safe in seen:
                    raise ValueError("the archive holds this member twice")
            long_name, long_target, pax = None, None, {}
            names += _NAME_BYTES + len(safe)
            if names > _NAMES_LIMIT:
                limit = f"they take more than {_NAMES_LIMIT >> 20} MB"
                raise ValueError(f"the archive has more members, or longer names, than that of a dataset: {limit}")
        except ValueError as error:
            member = within if name is None else _inside(within, name)
            remedy = error.remedy if isinstance(error, _Refused) else DAMAGED
            raise PrepError(place, str(error), remedy, member=member, offset=at) from error
        # The size of a folder, where one is written, is not that of any content; nor is that of a link or a label.
        if (is_folder and kind != _FOLDER_WITH_NAMES) or (is_foreign and kind not in _REGULAR):
            continue
        content = at + BLOCK
        if content + size > end:
            problem = (
                f"the member's content should reach byte {content + size}, but the archive ends before: it is cut off"
            )
            raise PrepError(place, problem, CUT_OFF, member=_inside(within, safe), offset=at)
        if is_foreign:
            if passed_over:
                passed_over.note(_inside(within, safe))
        elif not is_folder:
            seen.add(safe)
            yield Member(safe, content, size, block[:_NAME_FIELD].rstrip(b"\0") == safe.encode())
        try:
            stream.skip(max(0, min(end, content + _padded(size)) - stream.offset))
        except EndOfStream as error:
            problem = "the archive ends inside this member: it is cut off"
            raise PrepError(place, problem, CUT_OFF, member=_inside(within, safe), offset=at) from error


def _expect_regular(block: bytes, pax: dict[bytes, bytes], long_target: bytes | None) -> None:
    kind = block[156:157]
    if kind in _LINKS:
        target = header.link_target(block, pax, long_target)
        raise _Refused(f"the member is {_LINKS[kind]} to {target!r}, and no file", OF_FILES)
    if kind == b"S" or (pax and header.is_sparse(pax)):
        raise _Refused("the member is a sparse file, which has no place in a dataset archive", WITHOUT_HOLES)
    if kind not in _REGULAR:
        what = _REFUSED.get(kind, f"of an unknown type ({kind!r})")
        raise ValueError(f"the member is {what}, which has no place in a dataset archive")


def read_files(
    path: str | os.PathLike[str], *, limit: int = 64 << 20, passed_over: PassedOver | None = None
) -> Iterator[tuple[Member, bytes]]:
    """Yield each regular member of a plain or gzip-compressed archive with its content, in archive order.

    Offsets count the bytes of the uncompressed archive; `passed_over` counts what a system left there.

    Raises:
        PrepError: as `walk`; also for broken compression and for a member of more than `limit` bytes.
    """
    place = os.fspath(path)
    with opened(path) as (_, stream, end):
        for member in walk(stream, place, end=end, passed_over=passed_over):
            if member.nbytes > limit:
                problem = f"the member has {member.nbytes} bytes, more than the {limit} that it can have"
                raise PrepError(place, problem, DAMAGED, member=member.name, offset=member.offset)
            yield member, bytes(_take(stream, member.nbytes, place, member.name, member.offset))


def members(path: str | os.PathLike[str]) -> Iterator[Member]:
    """Yield each regular member of a plain or gzip-compressed archive; raises as `read_files`."""
    with opened(path) as (_, stream, end):
        yield from walk(stream, os.fspath(path), end=end)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[FileIO, Stream, int]]:
    """Open a plain or gzip-compressed archive for `walk`.

    Returns:
        The open file, whose position is how much of it was read; its bytes, uncompressed; and the `end` of these, of
        a compressed archive, where it is not known, 2**62.

    Raises:
        PrepError: the block finds its compression cut off or broken.
    """
    place = os.fspath(path)
    with open(path, "rb", buffering=0) as file, reading(place), broken_compression(place):
        compressed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        with Stream(gzip.GzipFile(fileobj=file) if compressed else file) as stream:
            yield file, stream, 1 << 62 if compressed else os.fstat(file.fileno()).st_size


@contextmanager
def broken_compression(place: str) -> Iterator[None]:
    """Say what is wrong with an archive whose compression the block finds cut off or broken."""
    try:
        yield
    except EOFError as error:
        raise PrepError(place, "the compressed archive is cut off", CUT_OFF) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise PrepError(place, f"its compression is broken ({error})", DAMAGED) from error


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
    else:
        problem, remedy = in_place_of_a_tar(block, place, nested=within is not None)
    raise PrepError(place, _in(within) + problem, remedy, member=within, offset=at)


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
