"""The partial file beside the place of a download, with its journal: what is there is never fetched again."""

from __future__ import annotations

import fcntl
import logging
import os
import re
from pathlib import Path
from types import TracebackType

from imagenet_prep import atomic
from imagenet_prep.download import intervals
from imagenet_prep.download.identity import Identity
from imagenet_prep.download.journal import DamagedJournal, Entry, Journal
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)

_BAD = ".bad-"


def path_of(place: Path) -> Path:
    """The partial file of what is downloaded to `place`: `<name>.part`; its journal is `<name>.part.json`."""
    return place.with_name(f"{place.name}.part")


def bad_path_of(place: Path, checksum: str) -> Path:
    """Where another file that came in its place is kept for a look: `<name>.bad-<beginning of its checksum>`."""
    return place.with_name(f"{place.name}{_BAD}{checksum[:8]}")


def is_bad(name: str) -> bool:
    """Whether a file of this name was kept for a look only, and is never used."""
    return re.search(rf"{re.escape(_BAD)}[0-9a-f]{{8}}$", name) is not None


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
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
            self.entry = self._read(nbytes)
        except BaseException:
            os.close(self.descriptor)
            raise

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._journal.close()
        if not self.finished and (self.entry is None or not self.entry.written):
            self._journal.remove()
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)

    def _lock(self) -> None:
        busy = PrepError(
            self.path,
            "another run is downloading this file",
            "Wait until it has ended, then run the same command again",
        )
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        except OSError:
            log.info("%s: this file system has no locks; see to it that one run at a time downloads to it", self.path)
        if not self.path.exists() or not os.path.samestat(os.fstat(self.descriptor), self.path.stat()):
            raise busy  # it ended between our opening and locking its file

    def _read(self, nbytes: int | None) -> Entry | None:
        size = os.fstat(self.descriptor).st_size
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
        return intervals.total(self.entry.written) if self.entry else 0

    @property
    def is_complete(self) -> bool:
        """Whether every byte is there, though perhaps the wrong ones."""
        return self.entry is not None and self.kept == self.entry.identity.length

    def begin(self, url: str, identity: Identity) -> None:
        """Forget what is there; begin with this version of a source, the length of which is known."""
        assert identity.length is not None
        self.forget()
        os.ftruncate(self.descriptor, identity.length)
        self.entry = Entry(url, identity, [])
        self._journal.settle(self.entry)

    def forget(self) -> None:
        """Forget what is there; what is written now cannot be continued by another run."""
        self.entry = None
        self.is_mixed = False
        self._journal.remove()
        os.ftruncate(self.descriptor, 0)

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
                count = os.pwrite(self.descriptor, view, offset)
            except OSError as error:
                error.filename = str(self.path)
                raise
            view = view[count:]
            offset += count

    def note(self, written: list[intervals.Range]) -> None:
        """Tell the journal what is written, so that it outlives this process."""
        self._journal.note(written)
        if self.entry is not None:
            self.entry.written = written

    def settle(self, written: list[intervals.Range]) -> None:
        """Force what is written to the disk and tell the journal, so that it outlives the machine, too."""
        self.sync()
        if self.entry is not None:
            self.entry.written = written
            self._journal.settle(self.entry)

    def sync(self) -> None:
        """Force what is written to the disk."""
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            error.filename = str(self.path)
            raise

    def finish(self, name: Path) -> None:
        """Give the file, which is whole and on the disk, its name."""
        os.replace(self.path, name)
        self.finished = True
        atomic.sync_folder(name.parent)
        self._journal.remove()
