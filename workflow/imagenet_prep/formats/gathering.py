"""Writing many pieces with few calls and without copying them together."""

from __future__ import annotations

import os
from io import FileIO

from crc32c import crc32c

from imagenet_prep import atomic
from imagenet_prep.formats.stream import Buffer

_CALL = 1 << 20
_PIECES = 1000  # POSIX systems take 1024 at a time
_BEGIN = 8 << 20  # bytes that are then on their way to the disk while others are put together


class GatheringWriter:
    """Collects pieces, and hands them to the system a megabyte a call.

    The pieces are written from where they lie: they must not change until `flush`.

    Args:
        file: open for writing, unbuffered.

    Attributes:
        nbytes: of all pieces so far.
        crc32c: of all of them, one behind the other.
    """

    def __init__(self, file: FileIO) -> None:
        self.nbytes = 0
        self.crc32c = 0
        self._descriptor = file.fileno()
        self._waiting: list[Buffer] = []
        self._flushed = 0
        self._begun = 0

    def write(self, *pieces: Buffer) -> None:
        """Add pieces, one behind the other."""
        self._waiting += pieces
        self.nbytes += sum(map(len, pieces))
        for piece in pieces:
            self.crc32c = crc32c(piece, self.crc32c)
        if self.nbytes - self._flushed >= _CALL or len(self._waiting) >= _PIECES:
            self.flush()

    def flush(self) -> None:
        """Write what waits; raises OSError as the system does."""
        waiting, left = self._waiting, self.nbytes - self._flushed
        while waiting:
            written = os.writev(self._descriptor, waiting[:_PIECES])
            left -= written
            if not left:
                break
            done = 0
            while done < len(waiting) and written >= len(waiting[done]):
                written -= len(waiting[done])
                done += 1
            waiting = waiting[done:]
            if written:  # a piece was written in part, as on a disk that is nearly full
                waiting[0] = memoryview(waiting[0])[written:]
        self._waiting = []
        self._flushed = self.nbytes
        if self._flushed - self._begun >= _BEGIN:
            atomic.begin_sync(self._descriptor)
            self._begun = self._flushed
