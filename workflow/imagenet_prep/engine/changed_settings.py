"""The settings that differ from those that something was made with, by the receipts of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import ARCHIVES, Name, load, names
from imagenet_prep.engine.step import Need
from imagenet_prep.engine.table_steps import expected
from imagenet_prep.errors import PrepError


@dataclass
class Change:
    """What was another value of a key of the configuration when something was made.

    Attributes:
        before: its value then.
        now: its value in the configuration.
        steps: what is made again for it.
    """

    before: Any
    now: Any
    steps: set[str] = field(default_factory=set)


def changes(provenance: Provenance, written: Iterable[str]) -> dict[str, Change]:
    """The changes, by the dotted key.

    Args:
        provenance: what the run asks for.
        written: the paths of all files that its jobs write, receipts among them.
    """
    receipts = [Path(path) for path in written if Path(path).is_relative_to(provenance.state)]
    needed = {(path.parent.name, name.split): path for path in receipts if (name := Name.parse(path.name))}
    found: dict[str, Change] = {}
    for need, receipt in needed.items():
        for key, change in _of_step(provenance, need, receipt):
            found.setdefault(key, change).steps.update(it[0] for it in needed if _follows(provenance, it, need))
    return found


def _of_step(provenance: Provenance, need: Need, receipt: Path) -> Iterator[tuple[str, Change]]:
    step, subject = need
    own = Name.parse(receipt.name)
    older = [name for name in names(receipt.parent) if own and name.split == own.split]
    if step not in (*provenance.steps, ARCHIVES) or any(own and name.digest == own.digest for name in older):
        return  # the settings are the same; something else has changed
    paths = sorted((receipt.parent / str(name) for name in older), key=lambda path: path.stat().st_mtime_ns)
    try:
        before = dict(_leaves(load(paths[-1]).get("settings", {}))) if paths else {}
    except (PrepError, AttributeError):
        return
    settings = expected(provenance.config, subject) if step == ARCHIVES else provenance.settings(step, subject)
    for place, now in _leaves(settings):
        key = _key(provenance.config, need, place, now)
        if key and place in before and before[place] != now:
            yield key, Change(before[place], now)


def _leaves(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """The values of settings, by dotted names."""
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def _key(config: Mapping[str, Any], need: Need, place: str, now: Any) -> str | None:
    """The key of the configuration that a setting is from, which holds its value; None of what follows from others."""
    step, subject = need
    product, _, split = subject.partition("-") if step == "plan" else (step.removesuffix("_description"), "", subject)
    name = place.rpartition(".")[2]
    name = {"wnids": "classes", "nbytes": "bytes"}.get(name, name)
    sections = ("shards", "publish", f"archives.{subject}")
    keys = [
        f"{product}.{split}_{name}",
        f"{product}.{name}",
        *(f"{section}.{name}" for section in sections),
        name,
        place,
    ]
    return next((key for key in keys if _same(_value(config, key), now)), None)


def _value(config: Mapping[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return ...
        value = value[part]
    return value


def _same(given: Any, setting: Any) -> bool:
    """Whether a setting is what the configuration gives; lists of names are sorted in settings."""
    both_lists = isinstance(given, list) and isinstance(setting, list)
    return bool(sorted(given) == sorted(setting) if both_lists else given == setting)


def _follows(provenance: Provenance, need: Need, cause: Need) -> bool:
    """Whether one step follows from another, or is it."""
    if need == cause:
        return True
    if need[0] not in provenance.steps:
        return False
    return any(_follows(provenance, it, cause) for it in provenance.needs(*need))
