"""How often a store is asked again, and with which waits."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from imagenet_prep.publish.store_errors import Interrupted

Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retries:
    """Attempts on top of the clients' own, which end after a minute or less. The defaults last about ten minutes.

    Attributes:
        attempts: how often an action is tried.
        backoff: seconds to wait after the first failure; the wait doubles with each one.
        longest: seconds at which the doubling ends.
    """

    attempts: int = 10
    backoff: float = 2
    longest: float = 120

    def attempt(self, what: str, action: Callable[[], Result], stopping: threading.Event) -> Result:
        """The result of an action, tried again while it is interrupted.

        Args:
            what: what it is about, for the log.
            action: what to do.
            stopping: set when nobody wants the result any more; that ends all waiting.

        Raises:
            Interrupted: all attempts were, or it is stopping.
        """
        for failures in range(1, self.attempts + 1):
            try:
                return action()
            except Interrupted as failure:
                if failures == self.attempts or stopping.is_set():
                    raise
                seconds = min(self.longest, self.backoff * 2.0 ** (failures - 1)) * random.uniform(0.5, 1)
                log.info("%s: %s; next attempt in %.0f s", what, failure.problem, seconds)
                stopping.wait(seconds)
        raise AssertionError("there is at least one attempt")
