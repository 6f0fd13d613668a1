"""Numbers as people read them."""

from __future__ import annotations

from typing import Any


def number(value: Any) -> str:
    """A whole number in groups of three digits; anything else as it is."""
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def nbytes(count: int) -> str:
    """Such as 6.7 GB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def percent(share: float) -> str:
    """Such as 2.0 %; shares below that are shown exactly enough to be seen."""
    value = 100 * share
    return f"{value:.1f} %" if value >= 1 or not value else f"{value:.2g} %"
