"""Shows how far a run is: on a terminal lines at its bottom that are drawn again and again, elsewhere a few lines."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from imagenet_prep.console.stages import Run, Stage, State
from imagenet_prep.progress import CLEAR, shown_bytes, shown_number, shown_time

# Seconds: between two drawings, and more for each running job; until the first line where nothing is drawn, and between
# two of them at the most; of a stage, from which on it has a rate.
_REDRAW, _REDRAW_PER_JOB = 0.5, 0.02
_FIRST_LINE, _RARELY = 30.0, 300.0
_FOR_A_RATE = 3.0
_MOST_STAGES = 8

STARTING = 50_000_000
"""Bytes below which a job takes longer to start than to go through them, so that its speed says nothing."""

_INVERSE, _PLAIN = "\x1b[7m", "\x1b[27m"


class Display:
    """Shows a run from a thread of its own.

    In a terminal, a line for each stage that is going on, inverted as far as its work is done, and one for the run are
    drawn twice a second. The cursor then goes back to the first of them, so that what other processes print goes over
    them, and the next drawing below that. Elsewhere the same lines are printed after half a minute, and then ever less
    often, down to once in five minutes.

    Args:
        run: the run that is shown.
        stream: where it is shown.
        live: whether the stream is a terminal on which lines can be drawn again.
    """

    def __init__(self, run: Run, stream: TextIO, live: bool) -> None:
        self._run = run
        self._stream = stream
        self._live = live
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._show, name="display", daemon=True)

    def start(self) -> None:
        """Begin to show the run."""
        self._thread.start()

    def stop(self) -> None:
        """Draw no more, and clear the drawn lines."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self.clear()

    @property
    def now(self) -> float:
        """Seconds since the beginning of the run."""
        return time.monotonic() - self._began

    @contextlib.contextmanager
    def held(self) -> Iterator[Run]:
        """Let nothing be drawn while the block changes the run, or writes lines."""
        with self._lock:
            yield self._run

    def write(self, text: str) -> None:
        """Write lines that stay, above those that are drawn."""
        with self._lock:
            self.clear()
            self._write(f"{text}\n")

    def clear(self) -> None:
        """Clear the drawn lines, until they are drawn again."""
        if self._live:
            with self._lock:
                self._write(CLEAR)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that was closed must not end the run
            self._stream.write(text)
            self._stream.flush()

    def _show(self) -> None:
        said = 0.0
        while not self._over.wait(self._pause()):
            now = self.now
            with self._lock:
                if self._live:
                    self._run.look(now)
                    self._draw(now)
                elif now - said >= min(_RARELY, max(_FIRST_LINE, now / 10)):
                    said = now
                    self._run.look(now)
                    self._write("".join(f"{line}\n" for line in self._lines(now)))

    def _pause(self) -> float:
        # Of each running job a file is read, which may lie on a server that many read from.
        with self._lock:
            return _REDRAW + _REDRAW_PER_JOB * self._run.number(State.RUNNING)

    def _draw(self, now: float) -> None:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._stream.fileno())
            width = (columns or 80) - 1
            stages = self._run.running[: min(_MOST_STAGES, max(1, (rows or 24) - 3))]
            lines = []
            for stage, line in zip(stages, _table(stages, now), strict=True):
                filled = round(width * (stage.count.share if stage.count else 0.0))
                line = line.ljust(width)[:width]
                lines.append(f"{_INVERSE}{line[:filled]}{_PLAIN}{line[filled:].rstrip()}")
            lines.append(self._summary(now)[:width])
            up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            self._write(CLEAR + "\n".join(lines) + f"\r{up}")

    def _lines(self, now: float) -> list[str]:
        clock = time.strftime("%H:%M:%S")
        return [f"{clock}  {line}" for line in (*_table(self._run.running, now), self._summary(now))]

    def _summary(self, now: float) -> str:
        parts = [f"{self._run.done} of {self._run.total} jobs"]
        failed = self._run.number(State.FAILED)
        if failed:
            parts.append(f"{failed} failed")
        parts.append(shown_time(now))
        return ", ".join(parts)


def _table(stages: list[Stage], now: float) -> list[str]:
    width = max((len(stage.name) for stage in stages), default=0)
    return [f"{stage.name:{width}}  {stage.line(now)}" for stage in stages]


def result(stage: Stage) -> str:
    """A line about a finished stage: what it has done, how long that took, and how fast it was, as far as known."""
    count, took = stage.count, "" if stage.began is None else f" in {shown_time(stage.seconds)}"
    if count is None or count.unit != "bytes":
        return f"{stage.name}: done{took}"
    images = f"{shown_number(count.images)} images, " if count.images else ""
    tells = stage.seconds >= _FOR_A_RATE and count.done >= len(stage.jobs) * STARTING
    rate = f", {shown_bytes(count.done / stage.seconds)}/s" if tells else ""
    return f"{stage.name}: {images}{shown_bytes(count.done)}{took}{rate}"
