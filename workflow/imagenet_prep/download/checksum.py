"""The checksum of a file while it is downloaded, by a thread of its own that follows close behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading

_BLOCK = 4 << 20
_WAITING = 64  # blocks of at most 256 KiB that were received and wait to be hashed


class FollowingChecksum:
    """Hashes a file from its beginning as far as it is there.

    Args:
        algorithm: a `hashlib` name such as "md5".
        descriptor: of the file, open for reading; it must stay open until `hexdigest` or `stop` was called.
    """

    def __init__(self, algorithm: str, descriptor: int) -> None:
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._descriptor = descriptor
        self._position = 0
        self._waiting: queue.Queue[tuple[int, bytes]] = queue.Queue(_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def feed(self, offset: int, data: bytes) -> None:
        """All that lies before `offset` is in the file, and `data`, which follows there, is too; never waits."""
        # What finds no room is read from the file later, like all that was not handed over: it is in memory still.
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((offset, data))

    def hexdigest(self, length: int) -> str:
        """The checksum of the file, all `length` bytes of which are there.

        Raises:
            OSError: it cannot be read.
        """
        self.stop()
        self._stopping.clear()
        with contextlib.suppress(queue.Empty):
            while True:
                self._hash(*self._waiting.get_nowait())
        self._hash(length, b"")
        return self._digest.hexdigest()

    def stop(self) -> None:
        """End the thread, however far it is behind."""
        self._stopping.set()
        self.feed(0, b"")  # nothing to hash, for a thread that waits
        self._thread.join()

    def _follow(self) -> None:
        with contextlib.suppress(OSError):  # whoever wants the checksum comes to the same place, and is told
            while not self._stopping.is_set():
                self._hash(*self._waiting.get())

    def _hash(self, offset: int, data: bytes) -> None:
        """Go on to the end of `data`, by way of the file as far as nothing was handed over."""
        while self._position < offset and not self._stopping.is_set():
            block = os.pread(self._descriptor, min(_BLOCK, offset - self._position), self._position)
            if not block:
                raise OSError("the partial file is shorter than what was written to it")
            self._digest.update(block)
            self._position += len(block)
        if self._position == offset:
            self._digest.update(data)
            self._position += len(data)
