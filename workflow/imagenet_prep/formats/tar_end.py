"""What follows the end mark of a tar archive: zeros, or what tells that it was joined, added to or damaged."""

from __future__ import annotations

import os
import shlex

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tar_header as header
from imagenet_prep.formats.remedies import DAMAGED
from imagenet_prep.formats.stream import EndOfStream, Stream
from imagenet_prep.formats.tar_header import BLOCK

END = bytes(2 * BLOCK)
"""What a tar archive ends with."""

_ZEROS = bytes(BLOCK)
_END_MARK = len(END)


def expect_padding(stream: Stream, end: int, place: str, within: str | None, mark: int) -> None:
    """Pass over what follows the end mark. A member behind it would be lost without a word, so none may be there.

    Args:
        stream: positioned behind the first block of the end mark.
        end: the offset where the archive must have ended.
        place: the file's name, for messages.
        within: the member that is this archive, of a nested one.
        mark: the offset of the end mark.

    Raises:
        PrepError: there is something else than zeros; says whether it is another archive, members, or neither.
    """
    while stream.offset < end:
        at = stream.offset
        block = _next(stream, end)
        if block is None:
            return
        if block != _ZEROS[: len(block)]:
            raise _problem(stream, end, place, within, mark, at, block)


def repacked(place: str, options: str = "") -> str:
    """The command, as it can be typed, that unpacks an archive and makes another one of it, and what to do then."""
    place = os.path.abspath(place)
    new = shlex.quote(f"{place}.new")
    unpack = f"mkdir unpacked && tar --ignore-zeros -xf {shlex.quote(place)} -C unpacked"
    return f"`{unpack} && tar -cf {new}{options} -C unpacked .`, then put {new} in its place"


def _next(stream: Stream, end: int) -> bytes | None:
    """The next block, the last one perhaps shorter; None at the end of the file."""
    try:
        return bytes(stream.take(min(BLOCK, end - stream.offset)))
    except EndOfStream:
        stream.drain()
        return None


def _problem(stream: Stream, end: int, place: str, within: str | None, mark: int, at: int, block: bytes) -> PrepError:
    """What the data are that begin with this block, at the offset `at`."""
    is_marked = at - mark >= _END_MARK
    nested = f"in the member {within}" if within else "in it"
    if is_marked and header.begins(block):
        problem = f"the archive ends at byte {mark}, and another one begins here: two were joined (as cat does)"
        remedy = f"Make one archive of what is {nested}"
        if within is None:
            remedy += f": {repacked(place)}"
    elif is_marked and not _holds_members(stream, end):
        over = mark + _END_MARK
        problem = f"the archive ends at byte {mark}, and what follows it is no part of it"
        remedy = "Make the tar in this member again"
        if within is None:
            remedy = f"Cut it off: `truncate --size={over} {shlex.quote(os.path.abspath(place))}`"
    else:
        problem = f"an end mark at byte {mark} is followed by more data: a block of it was wiped out"
        remedy = DAMAGED
    inside = "inside this member, " if within is not None else ""
    return PrepError(place, inside + problem, remedy, member=within, offset=at)


def _holds_members(stream: Stream, end: int) -> bool:
    """Whether what is left looks like members of which the first header is gone.

    It does where there is a header in it, or where it ends as archives do.
    """
    zeros = 0
    while stream.offset < end:
        block = _next(stream, end)
        if block is None:
            break
        if header.begins(block):
            return True
        zeros = zeros + len(block) if block == _ZEROS[: len(block)] else 0
    return zeros >= _END_MARK
