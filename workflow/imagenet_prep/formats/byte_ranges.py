"""Byte ranges of a file, read in the order of their offsets with few and large reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from io import FileIO

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats.tar import CUT_OFF

_READ = 8 << 20
_GAP = 64 << 10


def read_ranges(
    path: str | os.PathLike[str], offsets: Sequence[int], sizes: Sequence[int]
) -> Iterator[tuple[int, memoryview]]:
    """Yield (position in the arguments, bytes) of every range, by ascending offset.

    Neighbours are fetched together, up to 8 MiB a read, where less than 64 KiB lie between them: the members of an
    archive in one sweep, the scattered images of a shard one by one. The bytes are valid until the next range.

    Raises:
        PrepError: the file is not there, or ends before a range does.
    """
    place = os.fspath(path)
    order = sorted(range(len(offsets)), key=offsets.__getitem__)
    with _open(place) as file:
        first = 0
        while first < len(order):
            start = offsets[order[first]]
            end = start + sizes[order[first]]
            last = first + 1
            while last < len(order):
                offset = offsets[order[last]]
                next_end = offset + sizes[order[last]]
                if offset - end > _GAP or next_end - start > _READ:
                    break
                end = max(end, next_end)
                last += 1
            with reading(place):
                block = _read(file.fileno(), start, end - start, place)
            for position in order[first:last]:
                offset = offsets[position] - start
                yield position, block[offset : offset + sizes[position]]
            first = last


def _open(place: str) -> FileIO:
    try:
        return open(place, "rb", buffering=0)
    except FileNotFoundError as error:
        remedy = "Put it back where it was, or run the same command again to have it downloaded"
        raise PrepError(place, "the file is not there any more", remedy) from error


def _read(descriptor: int, offset: int, size: int, place: str) -> memoryview:
    data = os.pread(descriptor, size, offset)
    if len(data) < size:
        pieces = [data]
        while (missing := size - sum(map(len, pieces))) > 0:
            piece = os.pread(descriptor, missing, offset + size - missing)
            if not piece:
                raise PrepError(
                    place, f"{size} bytes should follow, but the file ends {missing} short", CUT_OFF, offset=offset
                )
            pieces.append(piece)
        data = b"".join(pieces)
    return memoryview(data)
