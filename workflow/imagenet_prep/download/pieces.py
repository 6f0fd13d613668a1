"""The missing parts of a file, handed out to several connections so that all of them end at about the same time."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from imagenet_prep.download import intervals


@dataclass
class Piece:
    """A range that one connection fetches: `position` is where it is, `end` may come nearer when another one helps."""

    position: int
    end: int


class Pieces:
    """Hands out pieces and remembers what is there.

    Pieces come in the order of the file, and get smaller towards its end. Once none is left, whoever asks for one gets
    the second half of the largest that another connection still works on.

    Args:
        length: of the file.
        written: the ranges that are there.
        connections: how many ask for pieces; with one, each gap is one piece.
        smallest: the least that is worth a request.
        largest: the most that goes into one piece where there are several connections.
    """

    def __init__(
        self, length: int, written: list[intervals.Range], connections: int, smallest: int, largest: int
    ) -> None:
        self._length = length
        self._written = list(written)
        self._gaps = intervals.gaps(written, length)
        self._working: list[Piece] = []
        self._connections = connections
        self._smallest = smallest
        self._largest = largest
        self._stopped = False
        self._changed = threading.Condition()
        self.done = intervals.total(written)

    @property
    def written(self) -> list[intervals.Range]:
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
            while not self._stopped and not self.are_complete:
                piece = self._from_gap(at_most) or self._from_another()
                if piece:
                    self._working.append(piece)
                    return piece
                self._changed.wait()
            return None

    def advance(self, piece: Piece, nbytes: int) -> int:
        """So many bytes of a piece were written; return how far the file is there without a gap from its beginning."""
        with self._changed:
            start, piece.position = piece.position, piece.position + nbytes
            intervals.add(self._written, start, piece.position)
            self.done = intervals.total(self._written)
            return self._written[0][1] if self._written[0][0] == 0 else 0

    def give_back(self, piece: Piece) -> None:
        """A connection has ended with a piece; what is missing of it is handed out again."""
        with self._changed:
            self._working.remove(piece)
            if piece.position < piece.end:
                self._gaps = sorted([*self._gaps, (piece.position, piece.end)])
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _from_gap(self, at_most: int | None) -> Piece | None:
        if not self._gaps:
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

    def _from_another(self) -> Piece | None:
        slowest = max(self._working, key=lambda piece: piece.end - piece.position, default=None)
        if slowest is None or slowest.end - slowest.position < 2 * self._smallest:
            return None
        middle = (slowest.position + slowest.end) // 2
        piece = Piece(middle, slowest.end)
        slowest.end = middle
        return piece
