"""Progress of long work: a line now and then with share, rate and time left."""

from __future__ import annotations

import logging
import time

_EVERY = 10.0

log = logging.getLogger(__name__)


class Progress:
    """Counts units of work and says every ten seconds how far it is.

    Args:
        what: a few words such as "scanning ILSVRC2012_img_train.tar".
        total: how many units there are in all.
        unit: what they are called; bytes are shown as kB, MB and GB.
    """

    def __init__(self, what: str, total: int, unit: str = "bytes") -> None:
        self.what = what
        self.unit = unit
        self.total = total
        self.done = 0
        self._start = self._said = time.monotonic()

    def advance(self, count: int) -> None:
        """Count some more."""
        self.reach(self.done + count)

    def reach(self, count: int) -> None:
        """Set the count."""
        self.done = count
        now = time.monotonic()
        if now - self._said >= _EVERY:
            self._said = now
            log.info("%s", self)

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = self.done / seconds
        left = (self.total - self.done) / rate if rate else 0.0
        share = self.done / self.total if self.total else 1.0
        return f"{self.what}: {share:.0%} of {self._shown(self.total)}, {self._shown(rate)}/s, {_time(left)} left"

    def _shown(self, count: float) -> str:
        return _size(count) if self.unit == "bytes" else f"{count:.0f} {self.unit}"


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
