"""Byte ranges of a file, read in the order of their offsets with few and large reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from io import FileIO

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats.remedies import CUT_OFF

_READ = 8 << 20
_GAP = 64 << 10


def read_ranges(
    path: str | os.PathLike[str],
    offsets: Sequence[int],
    sizes: Sequence[int],
    into: Sequence[memoryview] | None = None,
) -> Iterator[tuple[int, memoryview]]:
    """Yield (position in the arguments, bytes) of every range, by ascending offset.

    Neighbours are fetched together, up to 8 MiB a read, where less than 64 KiB lie between them: the members of an
    archive in one sweep, the scattered images of a shard one by one.

    Args:
        path: the file.
        offsets: where each range begins, in bytes.
        sizes: its bytes.
        into: for each range memory of its size, which then holds it. Without, a range is valid until the next one.

    Raises:
        PrepError: the file is not there, or ends before a range does.
    """
    place = os.fspath(path)
    buffer = bytearray()  # the same for all reads: new pages cost half as much as the copy into them
    with _open(place) as file:
        for start, end, positions in runs(offsets, sizes, _GAP, _READ):
            if into and len(positions) == 1:
                block = into[positions[0]]
            else:
                if len(buffer) < end - start:
                    buffer = bytearray(max(end - start, _READ))
                block = memoryview(buffer)[: end - start]
            with reading(place):
                _read(file.fileno(), start, block, place)
            for position in positions:
                offset = offsets[position] - start
                data = block[offset : offset + sizes[position]]
                if into and len(positions) > 1:
                    into[position][:] = data
                    data = into[position]
                yield position, data


def runs(offsets: Sequence[int], sizes: Sequence[int], gap: int, most: int) -> Iterator[tuple[int, int, list[int]]]:
    """Put ranges together that lie near each other in a file; yield the runs by ascending offset.

    Args:
        offsets: where each range begins, in bytes.
        sizes: its bytes.
        gap: bytes between two ranges that may be read for nothing.
        most: bytes of a run; a range that is larger is a run by itself.

    Yields:
        Where a run begins, where it ends, and the positions in the arguments of its ranges.
    """
    start = end = 0
    positions: list[int] = []
    for position in sorted(range(len(offsets)), key=offsets.__getitem__):
        offset, stop = offsets[position], offsets[position] + sizes[position]
        if positions and offset - end <= gap and stop - start <= most:
            end = max(end, stop)
            positions.append(position)
        else:
            if positions:
                yield start, end, positions
            start, end, positions = offset, stop, [position]
    if positions:
        yield start, end, positions


def _open(place: str) -> FileIO:
    try:
        return open(place, "rb", buffering=0)
    except FileNotFoundError as error:
        remedy = "Put it back where it was, or run the same command again to have it downloaded"
        raise PrepError(place, "the file is not there any more", remedy) from error


def _read(descriptor: int, offset: int, block: memoryview, place: str) -> None:
    done = 0
    while done < len(block):
        count = _read_into(descriptor, block[done:], offset + done)
        if not count:
            problem = f"{len(block)} bytes should follow, but the file ends {len(block) - done} short"
            raise PrepError(place, problem, CUT_OFF, offset=offset)
        done += count


def _read_into(descriptor: int, block: memoryview, offset: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [block], offset)
    data = os.pread(descriptor, len(block), offset)
    block[: len(data)] = data
    return len(data)
