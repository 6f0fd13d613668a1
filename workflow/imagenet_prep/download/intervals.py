"""Sets of bytes of a file, as sorted lists of ranges (first byte, byte after the last) that do not touch."""

from __future__ import annotations

from collections.abc import Sequence

Range = tuple[int, int]


def add(ranges: list[Range], start: int, end: int) -> None:
    """Put one more range into the set."""
    for i, (first, last) in enumerate(ranges):
        if first <= start <= last:  # the usual case: a connection goes on where it was
            ranges[i] = (first, max(last, end))
            if i + 1 < len(ranges) and ranges[i + 1][0] <= end:
                ranges[:] = _merged(ranges)
            return
    ranges.append((start, end))
    ranges[:] = _merged(ranges)


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def gaps(ranges: Sequence[Range], length: int) -> list[Range]:
    """What is missing of a file of so many bytes."""
    edges = [0, *(edge for pair in ranges for edge in pair), length]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in pairs if start < end]


def total(ranges: Sequence[Range]) -> int:
    """How many bytes are in the set."""
    return sum(end - start for start, end in ranges)


def are_valid(ranges: object, length: int) -> bool:
    """Whether this is a set of ranges within a file of so many bytes, as lists that JSON made of it."""
    if not isinstance(ranges, list):
        return False
    position = -1
    for pair in ranges:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(edge) is int for edge in pair)):
            return False
        start, end = pair
        if not position < start < end <= length:
            return False
        position = end
    return True
