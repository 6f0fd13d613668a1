"""An archive that byte ranges are read from: a local file, or one behind an address that fsspec knows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import FileIO
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from imagenet_prep.errors import PrepError
from imagenet_prep.formats.byte_ranges import runs

CUT_OFF = "Its download or copy stopped early, or it is another archive than the table is of: put the right one there"
_NOT_THERE = "Put it back, or give its place as the argument archive"
_CLIENT = "Install fsspec and its client of that store: pip install 'fsspec[http]', s3fs or gcsfs"

# Of a local file, what is near enough is read at once: a call costs about as much as so many bytes. A store answers a
# request after as long a time as it takes to send a megabyte or more.
_GAP, _READ = 16 << 10, 4 << 20
_GAP_OF_STORE, _READ_OF_STORE = 1 << 20, 8 << 20


class Archive(Protocol):
    """Where byte ranges are read from."""

    place: str

    def expect_bytes(self, end: int) -> None:
        """Raise `PrepError` where it is not there, or ends before this offset."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes of a range; raises `PrepError` where there are not so many."""

    def read_all(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Those of several ranges, in this order; raises likewise."""


def opened(place: str | os.PathLike[str]) -> Archive:
    """The archive at a path or address; it is opened when it is first read, in each process anew."""
    text = os.fspath(place)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    return StoredArchive(text) if "://" in text else LocalArchive(text)


class LocalArchive:
    """A local file."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._file: FileIO | None = None

    def _descriptor(self) -> int:
        # A forked process shares it: `pread` has no position to disturb.
        if self._file is None:
            try:
                self._file = open(self.place, "rb", buffering=0)  # noqa: SIM115 - as long as there are samples to read
            except OSError as error:
                raise PrepError(self.place, f"the archive cannot be opened ({error.strerror})", _NOT_THERE) from error
            if hasattr(os, "posix_fadvise"):  # images lie here and there: what is around one is not worth reading
                os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        return self._file.fileno()

    def expect_bytes(self, end: int) -> None:
        """As `Archive.expect_bytes`."""
        _expect(self.place, os.fstat(self._descriptor()).st_size, end)

    def read(self, offset: int, size: int) -> bytes:
        """As `Archive.read`."""
        data = os.pread(self._descriptor(), size, offset)
        while len(data) < size:  # a signal, or a network's file system, may cut it short
            more = os.pread(self._descriptor(), size - len(data), offset + len(data))
            if not more:
                raise _cut_off(self.place, offset, size, len(data))
            data += more
        return data

    def read_all(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """As `Archive.read_all`, by ascending offset; the system reads all of it at once from the disk, if it can."""
        found = [b""] * len(offsets)
        near = list(runs(offsets, sizes, _GAP, _READ))
        for start, end, _ in near:
            self.will_need(start, end - start)
        for position in itertools.chain.from_iterable(positions for _, _, positions in near):
            found[position] = self.read(offsets[position], sizes[position])
        return found

    def will_need(self, offset: int, size: int) -> None:
        """Have the system read a range ahead, where it can be asked to."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor(), offset, size, os.POSIX_FADV_WILLNEED)

    def __getstate__(self) -> dict[str, Any]:
        """Without the open file."""
        return {"place": self.place, "_file": None}


class StoredArchive:
    """A file behind an address: in requests for many neighbours at once, and ahead where one follows the other."""

    def __init__(self, address: str) -> None:
        self.place, self._address = _shown(address), address
        self._close()

    def _close(self) -> None:
        self._process = 0
        self._system: Any = None
        self._path = ""
        self._size = 0
        self._block, self._start, self._asked = b"", 0, -1
        self._next: Future[bytes] | None = None
        self._threads: ThreadPoolExecutor | None = None

    def _open(self) -> Any:
        if self._process != os.getpid():  # connections and threads do not outlive a fork
            self._close()
            try:
                import fsspec
            except ImportError as error:
                problem = "archives at an address are read by fsspec, which is not installed"
                raise PrepError(self.place, problem, _CLIENT) from error
            with _failures(self.place):
                self._system, self._path = fsspec.core.url_to_fs(self._address)
                self._size = int(self._system.info(self._path)["size"] or 0)
            self._process = os.getpid()
        return self._system

    def expect_bytes(self, end: int) -> None:
        """As `Archive.expect_bytes`."""
        self._open()
        _expect(self.place, self._size, end)

    def read(self, offset: int, size: int) -> bytes:
        """As `Archive.read`; where one range follows the other, blocks of many are fetched, and the next one ahead."""
        self._open()
        if not (self._start <= offset and offset + size <= self._start + len(self._block)):
            if 0 <= offset - self._asked <= _GAP_OF_STORE:
                self._block = self._ahead(offset, size)
            else:
                self._block, self._next = self._fetch([(offset, offset + size)])[0], None
            self._start = offset
        self._asked = offset + size
        return self._block[offset - self._start : offset - self._start + size]

    def _ahead(self, offset: int, size: int) -> bytes:
        """The bytes from an offset on, in or behind the block that is there; those behind them are asked for."""
        fetched = self._next.result() if self._next else b""
        data = (self._block + fetched)[offset - self._start :]
        if len(data) < size:
            start = offset + len(data)
            stop = max(offset + size, min(self._size, start + _READ_OF_STORE))
            data += self._fetch([(start, stop)])[0]
        start = offset + len(data)
        stop = min(self._size, start + _READ_OF_STORE)
        self._threads = self._threads or ThreadPoolExecutor(1)
        self._next = self._threads.submit(lambda: self._fetch([(start, stop)])[0]) if start < stop else None
        return data

    def read_all(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """As `Archive.read_all`: neighbours by one request, and all requests at once."""
        self._open()
        near = list(runs(offsets, sizes, _GAP_OF_STORE, _READ_OF_STORE))
        found = [b""] * len(offsets)
        for (start, _, positions), data in zip(near, self._fetch([run[:2] for run in near]), strict=True):
            for position in positions:
                first = offsets[position] - start
                found[position] = data[first : first + sizes[position]]
        return found

    def _fetch(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        with _failures(self.place):
            found = self._system.cat_ranges([self._path] * len(ranges), starts, ends, on_error="raise")
        for data, start, end in zip(found, starts, ends, strict=True):
            if len(data) > end - start:
                problem = f"the server was asked for {end - start} bytes and has sent {len(data)}: it knows no ranges"
                raise PrepError(self.place, problem, "Give a place that can be read in parts", offset=start)
            if len(data) < end - start:
                raise _cut_off(self.place, start, end - start, len(data))
        return list(found)

    def __getstate__(self) -> dict[str, Any]:
        """Without connections."""
        return {"address": self._address}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Likewise."""
        self.place, self._address = _shown(state["address"]), state["address"]
        self._close()


def _expect(place: str, nbytes: int, end: int) -> None:
    if nbytes < end:
        raise PrepError(place, f"it has {nbytes} bytes, and the last image of the table ends at {end}", CUT_OFF)


def _cut_off(place: str, offset: int, size: int, found: int) -> PrepError:
    problem = f"{size} bytes should follow, and only {found} do"
    return PrepError(place, problem, CUT_OFF, offset=offset)


@contextmanager
def _failures(place: str) -> Iterator[None]:
    """Raise `PrepError` for whatever a client of a store raises, mostly without its words: they may hold a secret."""
    try:
        yield
    except FileNotFoundError as error:
        raise PrepError(place, "the archive is not there", _NOT_THERE) from error
    except (ImportError, ValueError) as error:
        raise PrepError(place, f"fsspec does not know how to read it ({error})", _CLIENT) from error
    except Exception as error:
        problem = f"the archive cannot be read ({type(error).__name__})"
        raise PrepError(
            place, problem, "Look at the address and your rights; try again where the net failed"
        ) from error


def _shown(address: str) -> str:
    """An address without login and query, in which secrets may stand."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
