"""Progress of long work, with share, rate and time left: lines in the log of a job, and counts that its run reads."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

# Snakemake's own folder in the working directory: every job can write there, on whatever node, and the run reads it.
FOLDER = Path(".snakemake", "progress")

CLEAR = "\r\x1b[J"
"""Clears a terminal from the line of the cursor down: where the cursor is, what a run shows of itself begins."""

_SPEAKER = "IMAGENET_PREP_SPEAKER"
_FIRST_LINE = 10.0
_RARELY = 300.0
_REPORT = 1.0
_RECENT = 30.0

log = logging.getLogger(__name__)


@dataclass
class Count:
    """How much of some work is done.

    Attributes:
        what: a few words such as "scanning ILSVRC2012_img_train.tar".
        unit: what is counted; bytes are shown as kB, MB and GB.
        done: how many of them are done.
        total: how many there are in all; 0 where that is not known.
        images: how many images are done; 0 where they are not counted beside the units.
        all_images: how many there are in all; 0 where that is not known.
    """

    what: str
    unit: str
    done: int
    total: int
    images: int = 0
    all_images: int = 0

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def is_over(self) -> bool:
        """Whether all of it is done."""
        return self.done >= self.total > 0

    def shown(self, rate: float) -> str:
        """The count for people, at a rate in units a second."""
        parts = [f"{self.share:.0%} of {self._quantity(self.total)}" if self.total else self._quantity(self.done)]
        if self.images:
            of_all = f" of {shown_number(self.all_images)}" if self.all_images else ""
            parts.append(f"{shown_number(self.images)}{of_all} images")
        if rate and not self.is_over:
            parts.append(f"{self._quantity(rate)}/s")
            if self.total:
                parts.append(f"{shown_time((self.total - self.done) / rate)} left")
        return ", ".join(parts)

    def _quantity(self, count: float) -> str:
        return shown_bytes(count) if self.unit == "bytes" else f"{shown_number(count)} {self.unit}"


class Rate:
    """Units a second, over the last half minute."""

    def __init__(self, now: float, count: int) -> None:
        self._recent = deque([(now, count)])

    def note(self, now: float, count: int) -> None:
        """Take down a count, at a time in seconds."""
        if count < self._recent[-1][1]:  # other work has begun
            self._recent.clear()
        self._recent.append((now, count))
        while now - self._recent[0][0] > _RECENT and len(self._recent) > 2:
            self._recent.popleft()

    def at(self, now: float, count: int) -> float:
        """The rate when the count is this."""
        first, before = self._recent[0]
        return max(0, count - before) / max(now - first, 1e-9)


class Progress:
    """Counts units of work and says how far it is.

    Lines go to the log after ten seconds, and then ever less often, down to one in five minutes. The counts themselves
    go into a file each second, where the run reads them.

    Args:
        what: a few words such as "scanning ILSVRC2012_img_train.tar".
        total: how many units there are in all; 0 where that is not known.
        unit: what they are called.
        start: how many were done before, by an earlier run.
        images: how many images there are in all, where they are counted beside the units.
    """

    def __init__(self, what: str, total: int, unit: str = "bytes", start: int = 0, images: int = 0) -> None:
        self.count = Count(what, unit, start, total, all_images=images)
        self._start = self._said = self._reported = time.monotonic()
        self._rate = Rate(self._start, start)
        _report.write(self.count)

    def advance(self, count: int, images: int = 0) -> None:
        """Count some more."""
        self.count.images += images
        self.reach(self.count.done + count)

    def reach(self, count: int) -> None:
        """Set the count."""
        self.count.done = count
        if self.count.is_over:
            self.end()
            return
        now = time.monotonic()
        if now - self._reported < _REPORT:
            return
        self._reported = now
        self._rate.note(now, count)
        _report.write(self.count)
        if now - self._said >= min(_RARELY, max(_FIRST_LINE, (now - self._start) / 10)):
            self._said = now
            log.info("%s", self, extra={"for_log": True})

    def end(self) -> None:
        """Report the last count."""
        _report.write(self.count)

    def __str__(self) -> str:
        return f"{self.count.what}: {self.count.shown(self._rate.at(time.monotonic(), self.count.done))}"


class _Report:
    """The file in which the run reads how far this job is; none before it is told where."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._descriptor: int | None = None

    def begin(self, path: Path) -> None:
        self._path = path

    def write(self, count: Count) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):  # a full disk is for those to tell who write something that counts
            if self._descriptor is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o666)
            # In place: one system call. What a longer line has left is behind the end of this one.
            os.pwrite(self._descriptor, f"{json.dumps(asdict(count))}\n".encode(), 0)


_report = _Report()


def report_to(job_log: str | os.PathLike[str]) -> None:
    """Let the run read how far this process is, which is the job that logs to this file."""
    _report.begin(_file_of(job_log))


def read_report(job_log: str | os.PathLike[str]) -> Count | None:
    """How far the job is that logs to this file; None where it has not said so."""
    try:
        line, _, _ = _file_of(job_log).read_bytes().partition(b"\n")
        return Count(**json.loads(line))
    except (OSError, ValueError, TypeError):  # not there, or in the middle of being written
        return None


def forget_reports(logs: str | os.PathLike[str]) -> None:
    """Remove what jobs of earlier runs reported that log below the folder `logs`."""
    shutil.rmtree(_file_of(logs), ignore_errors=True)


def _file_of(job_log: str | os.PathLike[str]) -> Path:
    return FOLDER / os.path.abspath(job_log).lstrip("/")


def speak_for_jobs() -> None:
    """Let jobs that share this process's standard error leave it to this process to show progress and failures."""
    os.environ[_SPEAKER] = _standard_error()


def run_speaks() -> bool:
    """Whether the run shows progress and failures where standard error goes to."""
    return os.environ.get(_SPEAKER, "") == _standard_error() != ""


def _standard_error() -> str:
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return ""
    return f"{status.st_dev}-{status.st_ino}"


class TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes log lines to standard error, less those `for_log` where a run tells of its jobs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        if run_speaks():
            if getattr(record, "for_log", False):
                return
            if self.stream.isatty():
                self.stream.write(CLEAR)
        super().emit(record)


def shown_bytes(nbytes: float) -> str:
    """Such as 6.7 GB."""
    for unit in ("B", "kB", "MB"):
        if nbytes < 999.5:
            return f"{nbytes:.0f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} GB"


def shown_number(number: float) -> str:
    """Such as 4412, 551 k or 1.28 M."""
    if number < 9999.5:
        return f"{number:.0f}"
    number, unit = (number / 1e3, "k") if number < 999_500 else (number / 1e6, "M")
    return f"{number:.{0 if number >= 99.95 else 1 if number >= 9.995 else 2}f} {unit}"


def shown_time(seconds: float) -> str:
    """Such as 12 s, 3 min 12 s or 2 h 5 min."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def grouped(count: int) -> str:
    """A count for people, its digits in groups of three."""
    return f"{count:,}".replace(",", " ")
