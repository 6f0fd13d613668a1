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
        self._error: OSError | None = None
        self._waiting: queue.Queue[tuple[int, bytes] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def feed(self, offset: int, data: bytes) -> None:
        """All that lies before `offset` is in the file, and `data` follows; waits while too much is not hashed."""
        self._waiting.put((offset, data))

    def follow(self, frontier: int) -> None:
        """All that lies before `frontier` is in the file; never waits."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((frontier, b""))

    def hexdigest(self, length: int) -> str:
        """The checksum of the file, all `length` bytes of which are there."""
        self._waiting.put((length, b""))
        self.stop()
        if self._error:
            raise self._error
        return self._digest.hexdigest()

    def stop(self) -> None:
        """End the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _follow(self) -> None:
        while (item := self._waiting.get()) is not None:
            if self._error:
                continue
            offset, data = item
            try:
                self._catch_up(offset)
            except OSError as error:
                self._error = error
            else:
                if offset == self._position:
                    self._digest.update(data)
                    self._position += len(data)

    def _catch_up(self, offset: int) -> None:
        """Read what was not handed over: what an earlier run left, or what came through several connections."""
        while self._position < offset:
            block = os.pread(self._descriptor, min(_BLOCK, offset - self._position), self._position)
            if not block:
                raise OSError("the partial file is shorter than what was written to it")
            self._digest.update(block)
            self._position += len(block)
