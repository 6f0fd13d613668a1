"""Which image goes into which shard, and where: from the seed and the sorted file names alone."""

from __future__ import annotations

import itertools
import random
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.engine.images import IMAGES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

_IMAGE_COLUMNS = [
    "filename",
    "wnid",
    "archive",
    "offset",
    "length",
    "width",
    "height",
    "format",
    "colorspace",
    "crc32c",
]
_IMAGES_AT_A_TIME = 1 << 18
PLAN = pa.schema(
    [
        *((name, IMAGES.field(name).type) for name in _IMAGE_COLUMNS),
        ("label", pa.int64()),
        ("text", pa.string()),
        *((side, pa.list_(pa.float64())) for side in BOX_SIDES),
    ]
)


def permutation(n: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The order in which `n` images by sorted file name go into the records, shape (n,), int64.

    The shuffle of TensorFlow's slim script: Python's `random.shuffle` after seeding with `seed`.
    """
    order = array("q", range(n))  # a list would hold 40 bytes a number
    random.Random(seed).shuffle(order)
    return np.frombuffer(order, np.int64)


def boundaries(n: int, shards: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each shard begins and the last one ends, shape (shards + 1,), int64: sizes differ by one at the most."""
    return np.array([n * shard // shards for shard in range(shards + 1)], np.int64)


def write_plan(
    images: Path,
    boxes: Path | None,
    classes: pa.Table,
    *,
    shards: int,
    seed: int,
    label_base: int,
    key: str,
    output: Path,
) -> dict[str, Any]:
    """Write all that the samples of a split are made of, in their order; return the numbers of `images` and `shards`.

    A row group is a shard. Columns (schema `PLAN`): those of the image, `label` (label_base + class_index), `text` (the
    class's words), and the usable boxes (`xmin, ymin, xmax, ymax`, 0 … 1, empty lists where an image has none). The
    images are in random order, so some shards at a time are gathered in one reading of the tables: memory is bounded.

    Args:
        images: the table of the split's images.
        boxes: that of its boxes; None where there are none.
        classes: those in use, schema CLASSES.
        shards: how many are to be written.
        seed: of the shuffle.
        label_base: the label of the first class.
        key: of the configuration, that says how many shards there are.
        output: the plan.

    Raises:
        PrepError: more shards than images.
    """
    n = parquet.open_table(images).metadata.num_rows
    if n < shards:
        raise PrepError(
            f"configuration key {key}",
            f"{shards} shards are asked for, but the split has {n} images",
            "Choose at most as many shards as images",
        )
    order, edges = permutation(n, seed), boundaries(n, shards)
    with parquet.writing(output, PLAN) as writer:
        for first, last in _runs(edges):
            table = parquet.gather(images, order[edges[first] : edges[last]], [*_IMAGE_COLUMNS, "class_index"])
            position = pc.index_in(table["class_index"], value_set=classes["class_index"])
            columns = {name: table[name] for name in _IMAGE_COLUMNS}
            columns["label"] = pc.add(pc.cast(table["class_index"], pa.int64()), label_base)
            columns["text"] = pc.take(classes["words"], position)
            columns |= zip(BOX_SIDES, box_lists(table["filename"], boxes), strict=True)
            table = pa.table(columns, schema=PLAN)
            for start, stop in itertools.pairwise((edges[first : last + 1] - edges[first]).tolist()):
                writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)
    return {"images": n, "shards": shards}


def _runs(edges: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[tuple[int, int]]:
    """The shards in runs, from `first` to before `last`, of no more images than are gathered at a time."""
    first, shards = 0, len(edges) - 1
    while first < shards:
        last = int(np.searchsorted(edges, edges[first] + _IMAGES_AT_A_TIME, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def box_lists(filenames: pa.ChunkedArray, boxes: Path | None) -> list[pa.ListArray]:
    """For each side, the list of every image's boxes in the order of their XML."""
    n = len(filenames)
    if boxes is None:
        empty = pa.array(np.zeros(n + 1, np.int32))
        return [pa.ListArray.from_arrays(empty, pa.array([], pa.float64())) for _ in BOX_SIDES]
    names = filenames.combine_chunks()
    file = parquet.open_table(boxes)
    positions, parts = [np.empty(0, np.int64)], []
    for group in range(file.num_row_groups):
        table = parquet.read_groups(file, boxes, [group], ["filename", "usable", *BOX_SIDES])
        table = table.filter(table["usable"])
        position = pc.index_in(table["filename"], value_set=names)
        known = pc.is_valid(position)
        positions.append(position.filter(known).to_numpy().astype(np.int64))
        parts.append(table.filter(known).select(BOX_SIDES))
    image = np.concatenate(positions)
    order = np.argsort(image, kind="stable")
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(image, minlength=n), out=offsets[1:])
    found = {side: np.concatenate([np.empty(0), *(part[side].to_numpy() for part in parts)]) for side in BOX_SIDES}
    return [
        pa.ListArray.from_arrays(pa.array(offsets), pa.array(found[side][order], pa.float64())) for side in BOX_SIDES
    ]
