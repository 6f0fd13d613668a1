"""Batches of classes or shards, each made by one job and recorded in one receipt.

A batch is called `<split>-<first>-<last>-of-<total>`. Batches that have a receipt stay as they are when the size of
jobs changes in the configuration; only what no receipt covers is cut anew. Imports are light, since the Snakefile calls
this at every start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"(?P<split>\w+)-(?P<first>\d+)-(?P<last>\d+)-of-(?P<total>\d+)")

Batch = tuple[int, int]

JOB_BYTES = 384 << 20
"""Of images that a job goes through, so that it is worth its start."""
JOB_BYTES_OF_TABLES = 8 * JOB_BYTES
"""Likewise where it reads here and there, or tables alone."""
_MOST_JOBS = 48


def size(count: int, nbytes: int, worth: int) -> int:
    """How many of `count` units of so many bytes of images one job makes.

    Args:
        count: of all units.
        nbytes: of the images in all of them.
        worth: of the images that are worth a job; what goes through them lasts no hour in `_MOST_JOBS` jobs.
    """
    jobs = min(max(1, nbytes // worth), _MOST_JOBS * JOB_BYTES // worth)
    return -(-count // jobs)


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
    """What a batch is called."""
    first, last = batch
    return f"{split}-{first:05d}-{last:05d}-of-{total:05d}"


def parse(text: str) -> tuple[str, Batch, int] | None:
    """Split, first and last unit, and number of units that the name of a batch says; None of what is no such name."""
    matched = _NAME.fullmatch(text)
    if not matched:
        return None
    return matched["split"], (int(matched["first"]), int(matched["last"])), int(matched["total"])


def units_of(text: str) -> Batch:
    """First and last unit of the part of a batch's name behind the split."""
    matched = _NAME.fullmatch(f"split-{text}")
    if not matched:
        raise ValueError(f"{text!r} names no batch")
    return int(matched["first"]), int(matched["last"])


def overlap(batch: Batch, other: Batch) -> bool:
    """Whether two batches have units in common."""
    return batch[0] <= other[1] and other[0] <= batch[1]
