"""The partial file beside the place of a download, with its journal: what is there is never fetched again.

The journal tells of which version of which source the file is, and which of its bytes are there. It is replaced as a
whole, after the data that it tells of was forced to the disk, so that it is right after a power cut, too.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.download import ranges
from imagenet_prep.download.failures import Changed
from imagenet_prep.download.identity import Identity, Wanted
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)

_BAD = ".bad-"
_FORMAT = 1


def path_of(place: Path) -> Path:
    """The partial file of what is downloaded to `place`: `<name>.part`; its journal is `<name>.part.json`."""
    return place.with_name(f"{place.name}.part")


def bytes_of(place: Path) -> int:
    """Bytes that a download to this place fills already, whose file has holes."""
    try:
        return path_of(place).stat().st_blocks * 512
    except OSError:
        return 0


def bad_path_of(place: Path, checksum: str) -> Path:
    """Where another file that came in its place is kept for a look: `<name>.bad-<beginning of its checksum>`."""
    return place.with_name(f"{place.name}{_BAD}{checksum[:8]}")


def is_bad(name: str) -> bool:
    """Whether a file of this name was kept for a look only, and is never used."""
    return re.search(rf"{re.escape(_BAD)}[0-9a-f]{{8}}$", name) is not None


class DamagedJournal(Exception):
    """A journal from which nothing can be continued; its text says why."""


@dataclass
class Journal:
    """What is known of a partial file.

    Attributes:
        url: of the source, without credentials and without its query.
        identity: of the version that the source had; its length is known.
        written: the ranges of bytes that are there.
        is_mixed: whether they may be of several versions, or of the files of several mirrors.
    """

    url: str
    identity: Identity
    written: list[ranges.Range]
    is_mixed: bool = False

    @classmethod
    def read(cls, path: Path) -> Journal | None:
        """Read a journal; None where there is none.

        Raises:
            DamagedJournal: it cannot be understood.
        """
        try:
            # Former versions appended lines of what may not have reached the disk.
            head, *_ = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None
        try:
            return cls._parse(json.loads(head))
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedJournal("its journal is damaged") from error

    @classmethod
    def _parse(cls, record: Any) -> Journal:
        url, length, written = record["url"], record["length"], record["written"]
        is_mixed = record.get("mixed", False)
        validators = [record["etag"], record["last_modified"]]
        texts = isinstance(url, str) and all(value is None or isinstance(value, str) for value in validators)
        valid = type(length) is int and type(is_mixed) is bool and ranges.are_valid(written, length)
        if record["format"] != _FORMAT or not texts or not valid:
            raise ValueError("no journal of this format")
        return cls(url, Identity(length, *validators), [(start, end) for start, end in written], is_mixed)

    def write(self, path: Path) -> None:
        """Write it down; after a power cut a former one may be there, which tells of less."""
        record = {
            "format": _FORMAT,
            "url": self.url,
            "etag": self.identity.etag,
            "last_modified": self.identity.last_modified,
            "length": self.identity.length,
            "written": self.written,
            "mixed": self.is_mixed,
        }
        atomic.write_text(path, json.dumps(record) + "\n")


class Partial:
    """A partial file, opened for this process alone.

    Args:
        place: where the finished file goes.
        wanted: what is known of it.

    Attributes:
        journal: what is there, and of which version; None where nothing is there that could be continued.
        has_checksum: whether the checksum is known, which shows in the end whether versions were mixed.

    Raises:
        PrepError: another process downloads the same file.
    """

    def __init__(self, place: Path, wanted: Wanted) -> None:
        self.place = place
        self.path = path_of(place)
        self.finished = False
        self.has_checksum = wanted.checksum is not None
        self._journal_path = self.path.with_name(f"{self.path.name}.json")
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
            atomic.remove_leftovers(self._journal_path)
            self.journal = self._read(wanted.nbytes)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self.finished and (self.journal is None or not self.journal.written):
            self._journal_path.unlink(missing_ok=True)
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

    def _read(self, nbytes: int | None) -> Journal | None:
        size = os.fstat(self._descriptor).st_size
        try:
            journal = Journal.read(self._journal_path)
            if journal is None:
                if size:
                    log.info("%s has no journal: the download starts over", self.path)
                return None
            if not size and not journal.written:
                return None
            if size != journal.identity.length:
                raise DamagedJournal(f"its journal tells of {journal.identity.length} bytes, and it has {size}")
            if nbytes is not None and size != nbytes:
                raise DamagedJournal(f"it is of a file of {size} bytes, where {nbytes} are expected")
            if journal.is_mixed and not self.has_checksum:
                raise DamagedJournal("it may be of several versions, and no checksum is known any more")
        except DamagedJournal as error:
            log.info("%s cannot be continued, since %s: the download starts over", self.path, error)
            return None
        return journal

    @property
    def kept(self) -> int:
        """How many bytes are there that another run would not fetch again."""
        return ranges.total(self.journal.written) if self.journal else 0

    @property
    def is_complete(self) -> bool:
        """Whether every byte is there, though perhaps the wrong ones."""
        return self.journal is not None and self.kept == self.journal.identity.length

    def begin(self, url: str, identity: Identity) -> None:
        """Forget what is there; begin with this version of a source, the length of which is known."""
        assert identity.length is not None
        self.forget()
        os.ftruncate(self._descriptor, identity.length)
        self.journal = Journal(url, identity, [])
        self.journal.write(self._journal_path)
        atomic.sync_folder(self.place.parent)  # no journal of what was there before may come back

    def forget(self) -> None:
        """Forget what is there; what is written now cannot be continued by another run."""
        self.journal = None
        self._journal_path.unlink(missing_ok=True)
        os.ftruncate(self._descriptor, 0)

    def admit(self, url: str, identity: Identity) -> None:
        """Let bytes of this version go with those that are there, if any are.

        From the same address with the same ETag, Last-Modified and length; from another address with the same strong
        ETag and length. Where the checksum is known, and is compared in the end, the same length is enough: nodes of
        one mirror often label the same file differently. Where nothing of this tells versions apart, nothing is
        continued.

        Raises:
            Changed: they may not.
        """
        there = self.journal
        if there is None:
            return
        difference = there.identity.difference(identity)
        is_same = url == there.url and difference is None
        if self.has_checksum:
            if identity.length not in (None, there.identity.length):
                raise Changed(str(difference))
            there.is_mixed |= not is_same
        elif url != there.url:
            if not there.identity.is_surely(identity):
                other = f"{there.url}, of which a part is there"
                raise Changed(f"nothing tells whether it has the same version as {other}")
        elif difference is not None:
            raise Changed(difference)
        elif not identity.is_known:
            raise Changed("nothing tells whether it has the same version still")

    def resume(self, url: str, identity: Identity) -> None:
        """Go on with what is there, from this source, the version of which was admitted."""
        assert self.journal is not None
        self.journal = replace(self.journal, url=url, identity=identity)
        self.settle(self.journal.written)

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

    def settle(self, written: list[ranges.Range]) -> None:
        """Force what is written to the disk and tell the journal, so that another run fetches none of it again."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            error.filename = str(self.path)
            raise
        if self.journal is not None:
            self.journal.written = written
            self.journal.write(self._journal_path)

    def settle_whole(self, url: str, identity: Identity) -> None:
        """Do the same for a whole file that has come without a journal."""
        assert identity.length is not None
        self.journal = Journal(url, identity, [])
        self.settle([(0, identity.length)])

    def finish(self, name: Path) -> None:
        """Give the file, which is whole and on the disk, its name."""
        os.replace(self.path, name)
        self.finished = True
        atomic.sync_folder(name.parent)
        self._journal_path.unlink(missing_ok=True)
