"""One connection to a source: asks for ranges of bytes, and puts every way to fail into words."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

import requests
import urllib3.exceptions

from imagenet_prep.download import answers
from imagenet_prep.download.failures import closed_early, stalled
from imagenet_prep.download.identity import Identity
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.sources import Session, Source

# UnicodeError: what the encoding of international host names raises for a name that is none.
_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)


class Opened:
    """An answer that brings bytes."""

    def __init__(self, response: requests.Response, answer: answers.Answer, limits: Limits) -> None:
        self.answer = answer
        self._response = response
        self._limits = limits
        self._position = answer.start
        self._window_start = time.monotonic()
        self._window_bytes = 0

    def read(self, nbytes: int) -> bytes:
        """What has come, at most so many bytes; b"" at the end of the answer.

        Raises:
            Refused: it is a web page.
            Interrupted: the connection failed, stalled or was closed before the end of the answer.
        """
        try:
            data: bytes = self._response.raw.read1(min(nbytes, self._limits.block), decode_content=False)
        except _ERRORS as error:
            raise answers.failure_of(error, self._limits.connect, self._limits.stall) from error
        if not data and self.answer.end is not None and self._position < self.answer.end:
            raise closed_early()
        if self._position == 0 and answers.is_web_page(data):
            raise answers.web_page(self._response)
        self._position += len(data)
        self._expect_pace(len(data))
        return data

    def _expect_pace(self, nbytes: int) -> None:
        """A server that sends a byte now and then would never run into the time limit of a single read."""
        self._window_bytes += nbytes
        seconds = time.monotonic() - self._window_start
        if seconds > self._limits.stall:
            if self._window_bytes < self._limits.slowest * seconds:
                raise stalled(self._limits.stall)
            self._window_start += seconds
            self._window_bytes = 0

    def stop(self) -> None:
        """End a `read` that another thread waits in."""
        with contextlib.suppress(Exception):  # it may just have ended by itself
            self._response.raw.shutdown()

    def close(self) -> None:
        """Let go of it; a connection that was not read to its end is closed."""
        with contextlib.suppress(*_ERRORS):
            self._response.close()


class Connection:
    """A connection to a source, kept open between requests where the server does that."""

    def __init__(self, source: Source, tokens: Mapping[str, str], limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._session = Session(source, tokens)

    def ask(
        self,
        start: int,
        end: int,
        version: Identity | None = None,
        expect: Callable[[answers.Answer], None] = lambda answer: None,
    ) -> Opened:
        """Ask for the bytes from `start` to before `end`; for all of the file where both are 0.

        Args:
            start: offset of the first byte.
            end: offset after the last byte.
            version: the only one of which bytes are wanted; None for any.
            expect: looks at the answer before its bytes come, and raises where they are not wanted.

        Raises:
            Refused, Interrupted, Changed: what the answer was instead.
        """
        headers = {}
        if (start, end) != (0, 0):
            headers["Range"] = f"bytes={start}-{end - 1}"
            if version is not None and version.if_range is not None:
                headers["If-Range"] = version.if_range
        timeout = (self._limits.connect, self._limits.stall)
        try:
            response = self._session.get(self._source.url, headers=headers, stream=True, timeout=timeout)
        except _ERRORS as error:
            raise answers.failure_of(error, *timeout) from error
        try:
            answer = answers.read(response, start, end, self._limits.longest_wait)
            expect(answer)
        except BaseException:
            response.close()
            raise
        return Opened(response, answer, self._limits)

    def close(self) -> None:
        """Close it."""
        self._session.close()
