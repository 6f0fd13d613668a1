"""What a dry run says beside the jobs: the settings for which something is made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from imagenet_prep.products.registry import PRODUCTS

TAKES_OVER = ["", "An older version has made what lies here. What is whole is taken over, and its jobs fall away."]
"""Lines about what an older version has made: Snakemake shows all jobs that would make it anew."""

_LONG = 60  # characters of a value
_MANY = 5  # names of a list


class Change(Protocol):
    """A changed setting, as `engine.changed_settings` finds it: this package imports nothing of the engine."""

    before: Any
    now: Any
    steps: set[str]


def changed_settings(changes: Mapping[str, Change]) -> list[str]:
    """Lines about changed settings, given by their dotted keys; none where there are none."""
    lines = []
    for key, change in changes.items():
        again = ", ".join(name for name in PRODUCTS if name in change.steps)
        # What follows from archives of other settings is known only when they have been made up.
        behind = f" (made again: {again})" if again and not key.startswith("synthetic.") else ""
        lines.append(f"  {key}: {_difference(change.before, change.now)}{behind}")
    return ["", "Settings that have changed since this was made:", *lines] if lines else []


def _difference(before: Any, now: Any) -> str:
    if not isinstance(before, list) or not isinstance(now, list):
        return f"{_shown(before)} -> {_shown(now)}"
    changes = {"with": sorted(set(now) - set(before)), "without": sorted(set(before) - set(now))}
    return " and ".join(f"now {how} {_listed(names)}" for how, names in changes.items() if names)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONG:
        return text
    return f"a list of {len(value)}" if isinstance(value, list) else f"{text[: _LONG - 3]}..."
