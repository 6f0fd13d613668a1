"""How long a download waits, how often it tries, and in what portions it works."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes.

    Attributes:
        connect: until a server has taken a connection.
        stall: until the next byte has come; in this time at least `slowest` bytes a second must come, too.
        slowest: bytes a second below which a connection counts as stalled.
        attempts: failures in a row without a byte between them after which a connection gives up: half an hour.
        first_attempts: the same for a source that has not answered well yet, so that a dead mirror does not hold up.
        backoff: the wait after the first failure; it doubles with each one.
        longest_backoff: where the doubling ends.
        longest_wait: the longest wait that a server may ask for; one that asks for more is given up.
        restarts: how often in one run a source may turn out to be another version.
        block: the most that is read at once.
        smallest_piece: the first range asked for, and the smallest that is worth a request of its own.
        largest_piece: the largest range asked for where there are several connections.
        settled: bytes that may wait to be forced to the disk; about so much is fetched again after a kill.
        tick: how often progress is shown.
        pause: called with the event that ends all waiting, and the seconds to wait.
    """

    connect: float = 30
    stall: float = 60
    slowest: int = KIB
    attempts: int = 20
    first_attempts: int = 4
    backoff: float = 1
    longest_backoff: float = 120
    longest_wait: float = 3600
    restarts: int = 3
    block: int = 256 * KIB
    smallest_piece: int = MIB
    largest_piece: int = 64 * MIB
    settled: int = MIB
    tick: float = 0.25
    pause: Callable[[threading.Event, float], object] = threading.Event.wait

    def wait_after(self, failures: int, asked: float | None) -> float:
        """The wait after so many failures in a row: exponential with jitter, and at least what the server asked for."""
        grown = min(self.longest_backoff, self.backoff * 2.0 ** min(failures - 1, 30))
        return max(grown * random.uniform(0.5, 1), asked or 0)
