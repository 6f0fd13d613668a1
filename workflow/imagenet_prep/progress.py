"""Progress of long work: a line now and then with share, rate and time left."""

from __future__ import annotations

import logging
import time

_EVERY = 10.0

log = logging.getLogger(__name__)


class Progress:
    """Counts bytes and says every ten seconds how far the work is.

    Args:
        what: a few words such as "scanning ILSVRC2012_img_train.tar".
        total: bytes in all.
    """

    def __init__(self, what: str, total: int) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._start = self._said = time.monotonic()

    def advance(self, nbytes: int) -> None:
        """Count `nbytes` more."""
        self.reach(self.done + nbytes)

    def reach(self, nbytes: int) -> None:
        """Set the count to `nbytes`."""
        self.done = nbytes
        now = time.monotonic()
        if now - self._said >= _EVERY:
            self._said = now
            log.info("%s", self)

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = self.done / seconds
        left = (self.total - self.done) / rate if rate else 0.0
        share = self.done / self.total if self.total else 1.0
        return f"{self.what}: {share:.0%} of {_size(self.total)}, {_size(rate)}/s, {_time(left)} left"


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
