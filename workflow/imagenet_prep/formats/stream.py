"""A file read once from front to back, hashed by a second thread while the first one looks at the bytes."""

from __future__ import annotations

import hashlib
import io
import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from imagenet_prep.errors import reading

BLOCK = 4 << 20
_BUFFERS = 4

Buffer = bytes | memoryview


class Readable(Protocol):
    """What a stream reads from: an unbuffered binary file, or a gzip file."""

    def readinto(self, buffer: bytearray, /) -> int | None:
        """Fill the buffer from its beginning; return how many bytes came, 0 at the end."""


class EndOfStream(Exception):
    """The bytes end before the ones asked for; `available` of them were there."""

    def __init__(self, available: int) -> None:
        super().__init__(f"only {available} bytes left")
        self.available = available


def _size(source: Any) -> int:
    """How many bytes are to come, as far as is known: of a compressed file its own size, of what is no file a block."""
    try:
        return max(os.fstat(source.fileno()).st_size, io.DEFAULT_BUFFER_SIZE)
    except (AttributeError, OSError):  # io.UnsupportedOperation is one
        return BLOCK


class Stream:
    """Sequential access to `source` in blocks of 4 MiB, or of a small file fewer, with a checksum of all that passes.

    Hashing runs beside parsing (hashlib lets go of the interpreter lock), so that one pass costs no more than the
    slower of the two. Memory is bounded by four blocks and the largest single `take`.

    Args:
        source: an open binary file; the caller closes it.
        algorithm: a `hashlib` name such as "md5", or None.
        progress: called with the number of bytes read so far, once a block.
        with_crc32c: whether to take the CRC-32C, too; only with an algorithm.
    """

    def __init__(
        self,
        source: Readable,
        algorithm: str | None = None,
        progress: Callable[[int], None] | None = None,
        *,
        with_crc32c: bool = False,
    ) -> None:
        self._source = source
        self._progress = progress
        self._digest = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
        self._crc32c = 0 if with_crc32c else None
        if with_crc32c:
            from crc32c import crc32c  # takes as long to import as all that most jobs need of this library

            self._continue_crc32c = crc32c
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        self._block = min(BLOCK, _size(source))
        self._buffers = 0  # made so far; each costs the time of filling it with zeros
        self._filled: queue.SimpleQueue[tuple[bytearray, int] | None] = queue.SimpleQueue()
        self._hasher: threading.Thread | None = None
        if self._digest:
            self._hasher = threading.Thread(target=self._hash, daemon=True)
            self._hasher.start()
        self._view = memoryview(b"")
        self._position = 0
        self._block_start = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop_hashing()

    @property
    def offset(self) -> int:
        """Bytes taken or skipped so far."""
        return self._block_start + self._position

    @property
    def is_over(self) -> bool:
        """Whether nothing is left; what was taken before is not valid any more."""
        return self._position == len(self._view) and not self._next_block()

    def take(self, n: int) -> Buffer:
        """The next `n` bytes, valid until the next call; raises `EndOfStream` when there are fewer."""
        end = self._position + n
        if end <= len(self._view):
            view = self._view[self._position : end]
            self._position = end
            return view
        pieces = [bytes(self._view[self._position :])]
        missing = n - len(pieces[0])
        while missing:
            if not self._next_block():
                raise EndOfStream(n - missing)
            piece = self._view[:missing]
            self._position = len(piece)
            missing -= len(piece)
            pieces.append(bytes(piece))
        return b"".join(pieces)

    def skip(self, n: int) -> None:
        """Pass over `n` bytes; raises `EndOfStream` when there are fewer."""
        missing = n
        while missing > len(self._view) - self._position:
            missing -= len(self._view) - self._position
            if not self._next_block():
                raise EndOfStream(n - missing)
        self._position += missing

    def drain(self) -> None:
        """Pass over everything that is left."""
        while self._next_block():
            pass
        self._position = len(self._view)

    def hexdigest(self) -> str:
        """The checksum of everything read, in hexadecimal; call it after `drain`."""
        assert self._digest is not None, "the stream was opened without an algorithm"
        self._stop_hashing()
        return self._digest.hexdigest()

    def crc32c(self) -> str:
        """The CRC-32C of everything read, likewise."""
        assert self._crc32c is not None, "the stream was opened without it"
        self._stop_hashing()
        return f"{self._crc32c:08x}"

    def _next_buffer(self) -> bytearray:
        if self._buffers < (_BUFFERS if self._digest else 1) and self._free.empty():
            self._buffers += 1
            return bytearray(self._block)
        return self._free.get()

    def _next_block(self) -> bool:
        buffer = self._next_buffer()
        with reading(getattr(self._source, "name", "")):
            n = self._source.readinto(buffer) or 0
        if not n:
            self._free.put(buffer)
            return False
        self._block_start += len(self._view)
        self._view = memoryview(buffer)[:n]
        self._position = 0
        if self._hasher:
            self._filled.put((buffer, n))
        else:
            self._free.put(buffer)
        if self._progress:
            self._progress(self._block_start + n)
        return True

    def _hash(self) -> None:
        assert self._digest is not None
        while (filled := self._filled.get()) is not None:
            buffer, n = filled
            self._digest.update(memoryview(buffer)[:n])
            if self._crc32c is not None:
                self._crc32c = self._continue_crc32c(memoryview(buffer)[:n], self._crc32c)
            self._free.put(buffer)

    def _stop_hashing(self) -> None:
        if self._hasher:
            self._filled.put(None)
            self._hasher.join()
            self._hasher = None
