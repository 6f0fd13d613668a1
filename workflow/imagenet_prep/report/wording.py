"""Numbers as people read them."""

from __future__ import annotations

from typing import Any


def number(value: Any) -> str:
    """A whole number in groups of three digits; anything else as it is."""
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def percent(share: float) -> str:
    """Such as 2.0 %; shares below that are shown exactly enough to be seen."""
    value = 100 * share
    return f"{value:.1f} %" if value >= 1 or not value else f"{value:.2g} %"
