"""Counts odd images and unusable boxes in their tables, for the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from imagenet_prep import commands
from imagenet_prep.formats import parquet
from imagenet_prep.products.shards import REENCODED
from imagenet_prep.progress import shown_number


def of_images(table: Path, reencoded: Mapping[str, Any]) -> str:
    """A line about the images that are CMYK or PNG, in `images.parquet`; empty where there are none.

    Args:
        table: where it lies.
        reencoded: the section `shards`, which says what is encoded again; empty where no product is in shards.
    """
    _, found = _count(table, {"colorspace": "CMYK", "format": "PNG"})
    counts = {"CMYK": found["colorspace"], "PNG": found["format"]}
    again = " and ".join(kind for kind, key in REENCODED.items() if counts[kind] and reencoded.get(key))
    where = f" ({again}: as RGB JPEG in shards)" if again else ""
    of_each = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"Odd images: {of_each}{where}" if any(counts.values()) else ""


def of_boxes(table: Path) -> str:
    """A line about the boxes that cannot be used, in `bboxes.parquet`; empty where there are none."""
    boxes, found = _count(table, {"usable": False})
    of_all = f"{found['usable']} of {shown_number(boxes)} are in no record"
    return f"Odd boxes: {of_all}; {commands.typed(table)} says why" if found["usable"] else ""


def by_split(table: Path) -> dict[str, tuple[int, int]]:
    """How many images `images.parquet` has of each split, and their bytes."""
    file = parquet.open_table(table)
    found: dict[str, tuple[int, int]] = {}
    for group in range(file.num_row_groups):
        rows = parquet.read_groups(file, table, [group], ["split", "length"])
        sums = rows.group_by("split").aggregate([("length", "count"), ("length", "sum")]).to_pydict()
        for split, count, nbytes in zip(sums["split"], sums["length_count"], sums["length_sum"], strict=True):
            before = found.get(split, (0, 0))
            found[split] = (before[0] + count, before[1] + nbytes)
    return found


def _count(path: Path, values: Mapping[str, object]) -> tuple[int, dict[str, int]]:
    """The rows of a table, and by column how many have the given value; by row groups, so that memory is bounded."""
    file = parquet.open_table(path)
    found = dict.fromkeys(values, 0)
    for group in range(file.num_row_groups):
        rows = parquet.read_groups(file, path, [group], list(values))
        for column, value in values.items():
            found[column] += int(pc.sum(pc.equal(rows[column], value)).as_py() or 0)
    return file.metadata.num_rows, found
