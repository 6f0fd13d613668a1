"""The download of a file from one source into a partial file, in parts where the server can send parts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace

from imagenet_prep.download import ranges
from imagenet_prep.download.answers import Answer
from imagenet_prep.download.connection import Connection, Opened
from imagenet_prep.download.failures import BY_HAND, LATER, Changed, Interrupted, Refused, closed_early
from imagenet_prep.download.identity import Identity, Wanted
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.partial import Partial
from imagenet_prep.download.sources import Source
from imagenet_prep.download.workers import WHOLE, Workers
from imagenet_prep.progress import Progress

log = logging.getLogger(__name__)


class Transfer:
    """Completes a partial file from one source.

    Args:
        source: the source.
        tokens: the bearer tokens by host.
        partial: the partial file.
        connections: how many at most.
        wanted: what is known of the file.
        limits: of time and size.
    """

    def __init__(
        self,
        source: Source,
        tokens: Mapping[str, str],
        partial: Partial,
        connections: int,
        wanted: Wanted,
        limits: Limits,
    ) -> None:
        self._source = source
        self._tokens = tokens
        self._partial = partial
        self._connections = connections
        self._wanted = wanted
        self._limits = limits
        self._streamed = 0

    def run(self) -> None:
        """Download what is missing.

        Raises:
            Refused, Interrupted: the source does not give it; what has come stays.
            OSError: the file cannot be written.
        """
        for _ in range(self._limits.restarts + 1):
            try:
                self._complete()
                return
            except Changed as change:
                log.info("%s has changed: %s. The download starts over", self._source.shown, change)
                self._partial.forget()
        raise Refused("it has another version each time it is asked", f"Set download.connections to 1. {LATER}")

    def _complete(self) -> None:
        connection = Connection(self._source, self._tokens, self._limits)
        try:
            opened = self._open(connection)
            identity, journal = opened.answer.identity, self._partial.journal
            versioned = identity.is_known or self._partial.has_checksum
            if not (opened.answer.is_part and identity.length and versioned):
                why = "does not tell versions apart" if opened.answer.is_part else "sends no parts of files"
                log.info("%s %s: one connection, and each interruption starts it over", self._source.shown, why)
                self._stream(connection, opened)
                return
            if journal is None:
                self._partial.begin(self._source.shown, identity)
            else:
                self._partial.resume(self._source.shown, identity)
            present = ranges.total(self._partial.journal.written) if self._partial.journal else 0
            progress = self._progress(identity.length, present)
            missing = identity.length - present
            size = max(1, min(self._connections, missing // self._limits.smallest_piece))
            workers = Workers(self._source, self._tokens, self._partial, size, self._limits, progress.reach)
            workers.work(connection, opened)
            progress.end()
        finally:
            connection.close()

    def _progress(self, length: int, present: int = 0) -> Progress:
        progress = Progress(f"downloading {self._partial.place.name}", length, start=present)
        if present:
            log.info("continuing %s", progress)
        return progress

    def _wait(self, failure: Interrupted, failures: int) -> None:
        seconds = self._limits.wait_after(failures, failure.wait)
        log.info("%s: %s; next attempt in %.0f s", self._source.shown, failure.answer, seconds)
        self._limits.pause(threading.Event(), seconds)

    def _open(self, connection: Connection) -> Opened:
        """The first answer, for a small part, from which it is seen what the server has and can."""
        journal = self._partial.journal
        start, end, version = 0, self._limits.smallest_piece, None
        if journal and journal.identity.length:
            start, end = ranges.gaps(journal.written, journal.identity.length)[0]
            end = min(end, start + self._limits.smallest_piece)
            if journal.url == self._source.shown and not self._partial.has_checksum:
                version = journal.identity
        failures = 0
        while True:
            try:
                return connection.ask(start, end, version, self._expect)
            except Interrupted as failure:
                failures += 1
                if failures >= self._limits.first_attempts:
                    raise
                self._wait(failure, failures)
                version = (
                    None  # some servers answer any If-Range with the whole file; the answer tells the version anyway
                )

    def _expect(self, answer: Answer) -> None:
        self._expect_length(answer.identity)
        self._partial.admit(self._source.shown, answer.identity)
        if not answer.is_part and self._partial.kept:
            raise Interrupted(WHOLE, f"Run again later, or delete {self._partial.path} to start over without parts")

    def _expect_length(self, identity: Identity) -> None:
        if self._wanted.nbytes is not None and identity.length not in (None, self._wanted.nbytes):
            raise Refused(f"it has {identity.length} bytes where {self._wanted.nbytes} are expected", BY_HAND)

    def _stream(self, connection: Connection, opened: Opened | None) -> None:
        """Receive the whole file from its beginning, again and again until it came to its end once."""
        furthest = failures = again = 0
        if opened and opened.answer.is_part:
            opened.close()
            opened = None
        while True:
            self._streamed = 0
            try:
                if opened is None:
                    opened = connection.ask(0, 0)
                self._expect_length(opened.answer.identity)
                self._receive(opened)
                return
            except Interrupted as failure:
                # A network that was down is worth long patience; a server that ends at one place each time is not.
                again = again + 1 if self._streamed == furthest else 1
                failures = failures + 1 if self._streamed <= furthest else 1
                furthest = max(furthest, self._streamed)
                if failures >= self._limits.attempts or again >= self._limits.first_attempts:
                    raise
                self._wait(failure, failures)
            finally:
                if opened:
                    opened.close()
            opened = None

    def _receive(self, opened: Opened) -> None:
        """Write down what comes, from byte 0 to the end."""
        self._partial.forget()
        length = opened.answer.identity.length or self._wanted.nbytes
        progress = self._progress(length or 0)
        while data := opened.read(self._limits.block):
            if length is not None and self._streamed + len(data) > length:
                raise Refused(f"it sends more than the {length} bytes expected", BY_HAND)
            self._partial.write(self._streamed, data)
            self._streamed += len(data)
            progress.reach(self._streamed)
        if not self._streamed:
            raise Refused("the file there is empty", BY_HAND)
        if length is not None and self._streamed < length:
            raise closed_early()
        progress.end()
        self._partial.settle_whole(self._source.shown, replace(opened.answer.identity, length=self._streamed))
