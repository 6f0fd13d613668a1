"""Waiting for a condition, for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SECONDS = 300.0
_never = threading.Event()


def until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until the condition is true; fail if that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        _never.wait(0.2)
