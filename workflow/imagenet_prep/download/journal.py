"""The journal beside a partial file: of which version of which source it is, and which of its bytes are there.

The first line is a JSON object. It is replaced as a whole, after the data that it tells of was forced to the disk, so
that it is right even after a power cut. Lines that are appended to it tell what was written since. These bytes may be
only in the memory of the operating system, which outlives any process, but no reboot: they are believed only while the
same boot lasts, and a last line that was cut off is passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.download import intervals
from imagenet_prep.download.identity import Identity

_FORMAT = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")


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
    written: list[intervals.Range]


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
                    if intervals.are_valid(written, entry.identity.length or 0):
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

    def note(self, written: list[intervals.Range]) -> None:
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
    if record["format"] != _FORMAT or not texts or type(length) is not int or not intervals.are_valid(written, length):
        raise ValueError("no journal of this format")
    return Entry(url, Identity(length, *validators), [(start, end) for start, end in written])


def _boot() -> str | None:
    """A name of the time since the operating system started, where it tells one."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return None
