"""The partial file beside the place of a download, with its journal: what is there is never fetched again.

The journal's first line tells what was forced to the disk before it was written, so that it is right even after a power
cut. Lines that are appended tell what was written since: they are believed while the same boot lasts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.download import ranges
from imagenet_prep.download.identity import Identity
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)

_BAD = ".bad-"
_FORMAT = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def path_of(place: Path) -> Path:
    """The partial file of what is downloaded to `place`: `<name>.part`; its journal is `<name>.part.json`."""
    return place.with_name(f"{place.name}.part")


def bad_path_of(place: Path, checksum: str) -> Path:
    """Where another file that came in its place is kept for a look: `<name>.bad-<beginning of its checksum>`."""
    return place.with_name(f"{place.name}{_BAD}{checksum[:8]}")


def is_bad(name: str) -> bool:
    """Whether a file of this name was kept for a look only, and is never used."""
    return re.search(rf"{re.escape(_BAD)}[0-9a-f]{{8}}$", name) is not None


class DamagedJournal(Exception):
    """A journal that nothing can be learned from; its text says why."""


@dataclass
class Entry:
    """What a journal tells.

    Attributes:
        url: of the source, without credentials and without its query.
        identity: of the version that the source had; its length is known.
        written: the ranges of bytes that are there.
    """

    url: str
    identity: Identity
    written: list[ranges.Range]


class Journal:
    """A journal that is being written; `settle` and `note` may be called by several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._appending: int | None = None

    def read(self) -> Entry | None:
        """What it tells; None where there is none.

        Raises:
            DamagedJournal: it cannot be understood.
        """
        try:
            head, *later = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None
        try:
            record = json.loads(head)
            entry = _entry(record)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedJournal("its journal is damaged") from error
        if record.get("boot") is not None and record["boot"] == _boot():
            for line in reversed(later):
                with contextlib.suppress(ValueError):
                    written = json.loads(line)
                    if ranges.are_valid(written, entry.identity.length or 0):
                        entry.written = [(start, end) for start, end in written]
                        break
        return entry

    def settle(self, entry: Entry) -> None:
        """Write down what is safe on the disk, and force that to the disk, too."""
        record = {
            "format": _FORMAT,
            "url": entry.url,
            "etag": entry.identity.etag,
            "last_modified": entry.identity.last_modified,
            "length": entry.identity.length,
            "boot": _boot(),
            "written": entry.written,
        }
        with atomic.replacing(self._path) as partial:
            partial.write_text(json.dumps(record) + "\n", encoding="utf-8")
            appending = os.open(partial, os.O_WRONLY | os.O_APPEND)
            with self._lock:
                self._stop_appending()
                self._appending = appending
        atomic.sync_folder(self._path.parent)

    def note(self, written: list[ranges.Range]) -> None:
        """Append what is written by now; this costs microseconds."""
        with self._lock:
            if self._appending is not None:
                os.write(self._appending, json.dumps(written).encode() + b"\n")

    def remove(self) -> None:
        """Delete it."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._stop_appending()

    def _stop_appending(self) -> None:
        if self._appending is not None:
            os.close(self._appending)
            self._appending = None


def _entry(record: Any) -> Entry:
    url, length, written = record["url"], record["length"], record["written"]
    validators = [record["etag"], record["last_modified"]]
    texts = isinstance(url, str) and all(value is None or isinstance(value, str) for value in validators)
    if record["format"] != _FORMAT or not texts or type(length) is not int or not ranges.are_valid(written, length):
        raise ValueError("no journal of this format")
    return Entry(url, Identity(length, *validators), [(start, end) for start, end in written])


def _boot() -> str | None:
    """A name of the time since the operating system started, where it tells one."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return None


class Partial:
    """A partial file, opened for this process alone.

    `entry` tells what is there, and of what; it is None where nothing is there that could be continued. `is_mixed`
    tells whether this run went on from one source with what another had begun.

    Args:
        place: where the finished file goes.
        nbytes: its size, where that is known beforehand.

    Raises:
        PrepError: another process downloads the same file.
    """

    def __init__(self, place: Path, nbytes: int | None) -> None:
        self.place = place
        self.path = path_of(place)
        self.finished = False
        self.is_mixed = False
        self._journal = Journal(self.path.with_name(f"{self.path.name}.json"))
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
            self.entry = self._read(nbytes)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._journal.close()
        if not self.finished and (self.entry is None or not self.entry.written):
            self._journal.remove()
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _lock(self) -> None:
        busy = PrepError(
            self.path,
            "another run is downloading this file",
            "Wait until it has ended, then run the same command again",
        )
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        except OSError:
            log.info("%s: this file system has no locks; see to it that one run at a time downloads to it", self.path)
        if not self.path.exists() or not os.path.samestat(os.fstat(self._descriptor), self.path.stat()):
            raise busy  # it ended between our opening and locking its file

    def _read(self, nbytes: int | None) -> Entry | None:
        size = os.fstat(self._descriptor).st_size
        try:
            entry = self._journal.read()
            if entry is None:
                if size:
                    log.info("%s has no journal: the download starts over", self.path)
                return None
            if not size and not entry.written:
                return None
            if size != entry.identity.length:
                raise DamagedJournal(f"its journal tells of {entry.identity.length} bytes, and it has {size}")
            if nbytes is not None and size != nbytes:
                raise DamagedJournal(f"it is of a file of {size} bytes, where {nbytes} are expected")
        except DamagedJournal as error:
            log.info("%s cannot be continued, since %s: the download starts over", self.path, error)
            return None
        return entry

    @property
    def kept(self) -> int:
        """How many bytes are there that another run would not fetch again."""
        return ranges.total(self.entry.written) if self.entry else 0

    @property
    def is_complete(self) -> bool:
        """Whether every byte is there, though perhaps the wrong ones."""
        return self.entry is not None and self.kept == self.entry.identity.length

    def begin(self, url: str, identity: Identity) -> None:
        """Forget what is there; begin with this version of a source, the length of which is known."""
        assert identity.length is not None
        self.forget()
        os.ftruncate(self._descriptor, identity.length)
        self.entry = Entry(url, identity, [])
        self._journal.settle(self.entry)

    def forget(self) -> None:
        """Forget what is there; what is written now cannot be continued by another run."""
        self.entry = None
        self.is_mixed = False
        self._journal.remove()
        os.ftruncate(self._descriptor, 0)

    def resume(self, url: str, identity: Identity) -> None:
        """Go on with what is there, from this source, which may be another one with the same content."""
        assert self.entry is not None
        self.is_mixed |= url != self.entry.url
        self.entry = Entry(url, identity, self.entry.written)
        self.settle(self.entry.written)  # which also opens the journal for notes

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` into place."""
        view = memoryview(data)
        while view:
            try:
                count = os.pwrite(self._descriptor, view, offset)
            except OSError as error:
                error.filename = str(self.path)
                raise
            view = view[count:]
            offset += count

    def note(self, written: list[ranges.Range]) -> None:
        """Tell the journal what is written, so that it outlives this process."""
        self._journal.note(written)
        if self.entry is not None:
            self.entry.written = written

    def settle(self, written: list[ranges.Range]) -> None:
        """Force what is written to the disk and tell the journal, so that it outlives the machine, too."""
        self.sync()
        if self.entry is not None:
            self.entry.written = written
            self._journal.settle(self.entry)

    def sync(self) -> None:
        """Force what is written to the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            error.filename = str(self.path)
            raise

    def finish(self, name: Path) -> None:
        """Give the file, which is whole and on the disk, its name."""
        os.replace(self.path, name)
        self.finished = True
        atomic.sync_folder(name.parent)
        self._journal.remove()
