"""Batches of classes or shards, each made by one job and recorded in one receipt.

A receipt is called `<split>-<first>-<last>-of-<total>.json`. Batches that have one stay as they are when the size of
jobs changes in the configuration; only what no receipt covers is cut anew. A receipt whose files are gone is void.
Imports are light, since the Snakefile calls this at every start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_NAME = re.compile(r"(?P<first>\d+)-(?P<last>\d+)-of-(?P<total>\d+)")

Batch = tuple[int, int]


def cover(total: int, size: int, kept: Iterable[Batch]) -> list[Batch]:
    """Cut the units 0 … total - 1 into batches (first, last): those kept, and new ones of at most `size` between them.

    Of kept ones that overlap the first stays; one that is no range of the units is left out.
    """
    batches: list[Batch] = []
    unit = 0
    end = (total, total)
    for first, last in [*sorted(kept), end]:
        if (first, last) != end and not unit <= first <= last < total:
            continue
        batches += [(start, min(start + size, first) - 1) for start in range(unit, first, size)]
        if first < total:
            batches.append((first, last))
        unit = last + 1
    return batches


def name(split: str, batch: Batch, total: int) -> str:
    """The receipt's name without its suffix."""
    first, last = batch
    return f"{split}-{first:05d}-{last:05d}-of-{total:05d}"


def parse(text: str) -> Batch:
    """First and last unit of a batch's name, or of the part of it behind the split."""
    matched = _NAME.search(text)
    if not matched:
        raise ValueError(f"{text!r} names no batch")
    return int(matched["first"]), int(matched["last"])


def overlaps(receipt: Path, first: int, last: int) -> bool:
    """Whether a batch has units between `first` and `last`."""
    start, end = parse(receipt.stem)
    return start <= last and first <= end


def receipts(folder: Path, split: str, total: int) -> dict[Batch, Path]:
    """The receipts of a split's batches that lie in a folder, for this total."""
    found = {}
    for path in folder.glob(f"{split}-*.json"):
        matched = _NAME.fullmatch(path.stem.removeprefix(f"{split}-"))
        if matched and int(matched["total"]) == total:
            found[int(matched["first"]), int(matched["last"])] = path
    return found


def revoke(folder: Path, holds: Callable[[Path, dict[str, Any]], bool]) -> list[Path]:
    """Delete the receipts in a folder of which `holds(path, content)` is false, so that their jobs run again."""
    void = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            valid = holds(path, content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # also what is no receipt at all
            valid = False
        if not valid:
            void.append(path)
            path.unlink(missing_ok=True)
    return void


def remove_others(folder: Path, split: str, keep: Iterable[Path]) -> None:
    """Delete the receipts of a split's batches that belong to an older configuration."""
    wanted = {path.name for path in keep}
    for path in folder.glob(f"{split}-*.json"):
        if path.name not in wanted and _NAME.fullmatch(path.stem.removeprefix(f"{split}-")):
            path.unlink(missing_ok=True)
