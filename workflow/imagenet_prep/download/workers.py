"""Several connections that fetch the pieces of one file side by side."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping

from imagenet_prep.download.answers import Answer
from imagenet_prep.download.connection import Connection, Opened
from imagenet_prep.download.failures import Failure, Interrupted
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.partial import Partial
from imagenet_prep.download.ranges import Piece, Pieces
from imagenet_prep.download.sources import Source

log = logging.getLogger(__name__)

_TIMEOUT = 1.0  # seconds that a connection gets to end

WHOLE = "it sends the whole file where a part of it was asked for"


class Workers:
    """Threads with a connection each, which write into a partial file what is missing in it.

    Each failure sends a connection back for another piece after a wait, so that no piece waits for one connection. A
    connection that fails again and again while others get on leaves the rest to them: some servers allow a few only.

    Args:
        source: where the bytes come from.
        tokens: the bearer tokens by host.
        partial: the file, of which `journal` tells what is there.
        connections: how many.
        limits: of time and size.
        progress: called now and then with how many bytes are there.
    """

    def __init__(
        self,
        source: Source,
        tokens: Mapping[str, str],
        partial: Partial,
        connections: int,
        limits: Limits,
        progress: Callable[[int], None],
    ) -> None:
        assert partial.journal is not None
        assert partial.journal.identity.length is not None
        self._version = None if partial.has_checksum else partial.journal.identity
        length = partial.journal.identity.length
        self._source = source
        self._tokens = tokens
        self._partial = partial
        self._size = connections
        self._limits = limits
        self._progress = progress
        self._pieces = Pieces(length, partial.journal.written, connections, limits.smallest_piece, limits.largest_piece)
        self._lock = threading.Lock()
        self._working = 0
        self._opened: set[Opened] = set()
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._awake = threading.Event()

    def work(self, connection: Connection, opened: Opened) -> None:
        """Fetch all that is missing, beginning with an answer that has just come.

        Where Ctrl-C or a full disk ends it, connections that wait for a server are left behind; they write no more.

        Raises:
            Refused, Interrupted: the source gives no more.
            Changed: the source has another version now.
            OSError: the file cannot be written.
        """
        self._working = self._size
        # Taken before another connection can: the answer is for the beginning of what is missing.
        first = self._pieces.take((opened.answer.end or 0) - opened.answer.start)
        threads = [threading.Thread(target=self._run, args=(connection, first, opened), daemon=True)]
        threads += [threading.Thread(target=self._run, daemon=True) for _ in range(self._size - 1)]
        try:
            for thread in threads:
                thread.start()
            self._keep_journal()
        finally:
            self._stop(None)
            try:
                deadline = time.monotonic() + _TIMEOUT
                for thread in threads:
                    if thread.ident is not None:  # it was started; others find nothing to do any more
                        thread.join(max(0, deadline - time.monotonic()))
            finally:
                self._partial.settle(self._pieces.written)
        if self._error:
            raise self._error

    def _keep_journal(self) -> None:
        while self._working:
            self._awake.wait(self._limits.tick)
            self._awake.clear()
            self._progress(self._pieces.done)
            if self._is_due():
                start = time.monotonic()
                self._partial.settle(self._pieces.written)
                # A slow disk is not kept busy with that: it has the data to take, too.
                self._stopping.wait(time.monotonic() - start)

    def _is_due(self) -> bool:
        new = self._pieces.done - self._partial.kept
        return new >= max(1, self._limits.settled)

    def _run(
        self, connection: Connection | None = None, first: Piece | None = None, opened: Opened | None = None
    ) -> None:
        try:
            with contextlib.closing(connection or Connection(self._source, self._tokens, self._limits)) as own:
                self._fetch_pieces(own, first, opened)
        except Exception as error:
            self._stop(error)
        finally:
            with self._lock:
                self._working -= 1
            self._awake.set()

    def _fetch_pieces(self, connection: Connection, first: Piece | None, opened: Opened | None) -> None:
        failures, others = 0, 0
        while piece := first or self._pieces.take():
            before = piece.position
            failure = None
            try:
                self._fetch(connection, piece, opened)
            except Interrupted as interrupted:
                failure = interrupted
            finally:
                self._pieces.give_back(piece)
            first = opened = None
            if failure is None:
                failures = 0
                continue
            if piece.position > before:
                failures = 0
            if not failures:
                others = self._pieces.done
            failures += 1
            if failures >= self._limits.attempts:
                self._expect_others_get_on(failure, others)
                break
            self._wait(failure, failures)
        if self._pieces.are_complete:
            self._stopping.set()  # others may be waiting before another attempt that nobody needs now

    def _expect_others_get_on(self, failure: Failure, others: int) -> None:
        """Raise the failure where this connection is the last, or nobody has got on since so much was there."""
        with self._lock:
            if self._working == 1 or self._pieces.done == others:
                raise failure
        log.info("%s: %s; one connection less", self._source.shown, failure.answer)

    def _wait(self, failure: Interrupted, failures: int) -> None:
        if not self._stopping.is_set():
            seconds = self._limits.wait_after(failures, failure.wait)
            log.info("%s: %s; next attempt in %.0f s", self._source.shown, failure.answer, seconds)
            self._limits.pause(self._stopping, seconds)

    def _fetch(self, connection: Connection, piece: Piece, opened: Opened | None) -> None:
        if opened is None:
            opened = connection.ask(piece.position, piece.end, self._version, self._expect)
        with self._lock:
            self._opened.add(opened)
        try:
            self._receive(opened, piece)
        finally:
            with self._lock:
                self._opened.discard(opened)
            opened.close()

    def _expect(self, answer: Answer) -> None:
        self._partial.admit(self._source.shown, answer.identity)
        if not answer.is_part:
            raise Interrupted(WHOLE)

    def _receive(self, opened: Opened, piece: Piece) -> None:
        while piece.position < piece.end and not self._stopping.is_set():
            data = opened.read(piece.end - piece.position)
            if not data or self._stopping.is_set():
                return
            self._partial.write(piece.position, data)
            self._pieces.advance(piece, len(data))
            if self._is_due():
                self._awake.set()

    def _stop(self, error: Exception | None) -> None:
        with self._lock:
            if self._error is None and not self._stopping.is_set():
                self._error = error
            self._stopping.set()
            opened = list(self._opened)
        self._pieces.stop()
        for answer in opened:
            answer.stop()
