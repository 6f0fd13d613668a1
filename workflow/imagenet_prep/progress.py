"""Progress of long work with share, rate and time left: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import sys
import time
from collections import deque

_FIRST_LINE = 10.0
_RARELY = 300.0
_REDRAW = 0.5
_RECENT = 30.0
_CLEAR = "\r\x1b[K"
_INVERSE, _PLAIN = "\x1b[7m", "\x1b[27m"

log = logging.getLogger(__name__)


class Progress:
    """Counts units of work and says how far it is.

    Lines go to the log after ten seconds, and then ever less often, down to one in five minutes. Where standard error
    is a terminal, the line at its bottom is redrawn instead, inverted as far as the work is done, by one process at a
    time: others write their lines over it.

    Args:
        what: a few words such as "scanning ILSVRC2012_img_train.tar".
        total: how many units there are in all; 0 where that is not known.
        unit: what they are called; bytes are shown as kB, MB and GB.
        start: how many were done before, by an earlier run.
    """

    def __init__(self, what: str, total: int, unit: str = "bytes", start: int = 0) -> None:
        self.what = what
        self.unit = unit
        self.total = total
        self.done = start
        self._start = self._said = self._drawn = time.monotonic()
        self._recent = deque([(self._start, start)])

    def advance(self, count: int) -> None:
        """Count some more."""
        self.reach(self.done + count)

    def reach(self, count: int) -> None:
        """Set the count."""
        self.done = count
        if count >= self.total > 0:
            self.end()
            return
        now = time.monotonic()
        if now - self._drawn < _REDRAW:
            return
        self._drawn = now
        self._recent.append((now, count))
        while now - self._recent[0][0] > _RECENT and len(self._recent) > 2:
            self._recent.popleft()
        _terminal.draw(self)
        if now - self._said >= min(_RARELY, max(_FIRST_LINE, (now - self._start) / 10)):
            self._said = now
            log.info("%s", self, extra={"progress": True})

    def end(self) -> None:
        """Take the bar away."""
        _terminal.clear()

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def __str__(self) -> str:
        (first, before), now = self._recent[0], time.monotonic()
        rate = (self.done - before) / max(now - first, 1e-9)
        if not self.total:
            return f"{self.what}: {self._shown(self.done)}, {self._shown(rate)}/s"
        left = _time((self.total - self.done) / rate) if rate else "unknown time"
        return f"{self.what}: {self.share:.0%} of {self._shown(self.total)}, {self._shown(rate)}/s, {left} left"

    def _shown(self, count: float) -> str:
        return _size(count) if self.unit == "bytes" else f"{count:.0f} {self.unit}"


class TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes log lines to standard error, above the bar where there is one, less those that say what the bar says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        if _terminal.has_bar:
            if getattr(record, "progress", False):
                return
            _terminal.clear()
        super().emit(record)


class _Terminal:
    """Standard error, where it is a terminal; the bar belongs to the process that holds a lock on the terminal."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    @property
    def has_bar(self) -> bool:
        return self._descriptor is not None

    def draw(self, progress: Progress) -> None:
        if self._descriptor is None:
            self._take()
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                width = (os.get_terminal_size(self._descriptor).columns or 80) - 1
                line = str(progress).ljust(width)[:width]
                filled = round(width * progress.share)
                # The cursor goes back to the beginning of the line: what other processes print goes over the bar.
                self._write(f"{_CLEAR}{_INVERSE}{line[:filled]}{_PLAIN}{line[filled:].rstrip()}\r")

    def clear(self) -> None:
        if self._descriptor is not None:
            self._write(_CLEAR)
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            # An opening of its own: the one inherited from Snakemake shares its locks with every job.
            descriptor = os.open(os.ttyname(sys.stderr.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
            else:
                self._descriptor = descriptor

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


_terminal = _Terminal()
atexit.register(_terminal.clear)


def _size(nbytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} GB"


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
