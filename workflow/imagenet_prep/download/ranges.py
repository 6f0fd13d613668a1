"""Ranges of bytes of a file: sets of those that are there, and pieces of what is missing for several connections.

A set is a sorted list of ranges (first byte, byte after the last) that do not touch.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass
class Piece:
    """A range that one connection fetches; `position` is where it is."""

    position: int
    end: int


class Pieces:
    """Hands out the missing parts of a file and remembers what is there.

    Pieces come in the order of the file, and get smaller towards its end, so that all connections end at about the same
    time.

    Args:
        length: of the file.
        written: the ranges that are there.
        connections: how many ask for pieces; with one, each gap is one piece.
        smallest: the least that is worth a request.
        largest: the most that goes into one piece where there are several connections.
    """

    def __init__(self, length: int, written: Sequence[Range], connections: int, smallest: int, largest: int) -> None:
        self._length = length
        self._written = list(written)
        self._gaps = gaps(written, length)
        self._connections = connections
        self._smallest = smallest
        self._largest = largest
        self._stopped = False
        self._changed = threading.Condition()
        self.done = total(written)

    @property
    def written(self) -> list[Range]:
        """A copy of what is there."""
        with self._changed:
            return list(self._written)

    @property
    def are_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.done == self._length

    def take(self, at_most: int | None = None) -> Piece | None:
        """The next piece; waits while others work on all that is left, and returns None when that is done too."""
        with self._changed:
            self._changed.wait_for(lambda: self._gaps or self._stopped or self.are_complete)
            if self._stopped or not self._gaps:
                return None
            start, end = self._gaps.pop(0)
            size = end - start
            if self._connections > 1:
                share = (self._length - self.done) // (2 * self._connections)
                size = min(size, self._largest, max(self._smallest, share))
            if at_most is not None:
                size = min(size, at_most)
            if start + size < end:
                self._gaps.insert(0, (start + size, end))
            return Piece(start, start + size)

    def advance(self, piece: Piece, nbytes: int) -> None:
        """So many bytes of a piece were written."""
        with self._changed:
            start, piece.position = piece.position, piece.position + nbytes
            add(self._written, start, piece.position)
            self.done = total(self._written)

    def give_back(self, piece: Piece) -> None:
        """A connection has ended with a piece; what is missing of it is handed out again."""
        with self._changed:
            if piece.position < piece.end:
                self._gaps = sorted([*self._gaps, (piece.position, piece.end)])
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
