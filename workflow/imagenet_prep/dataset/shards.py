"""Which image goes into which shard, and where: from the seed and the sorted file names alone."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep import atomic, versions
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

_IMAGE_COLUMNS = [
    "filename",
    "wnid",
    "archive",
    "offset",
    "nbytes",
    "width",
    "height",
    "format",
    "colorspace",
    "crc32c",
]
_BOX_SIDES = ("xmin", "ymin", "xmax", "ymax")


def permutation(n: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The order in which `n` images by sorted file name go into the records, shape (n,), int64.

    The shuffle of TensorFlow's slim script: Python's `random.shuffle` after seeding with `seed`.
    """
    order = list(range(n))
    random.Random(seed).shuffle(order)
    return np.array(order, np.int64)


def boundaries(n: int, shards: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each shard begins and the last one ends, shape (shards + 1,), int64: sizes differ by one at the most."""
    return np.array([n * shard // shards for shard in range(shards + 1)], np.int64)


def write_plan(
    images: Path,
    boxes: Path | None,
    classes: pa.Table,
    *,
    split: str,
    shards: int,
    seed: int,
    label_base: int,
    output: Path,
) -> dict[str, Any]:
    """Write all that the records of a split are made of, in their order, a row group a shard; return a receipt.

    Columns: those of the image, `label` (int64, label_base + index), `text` (the class's words), and the usable boxes
    as lists of float64 (`xmin, ymin, xmax, ymax`, 0 … 1, empty lists where an image has none).

    Raises:
        PrepError: more shards than images.
    """
    table = parquet.read(images, [*_IMAGE_COLUMNS, "index"])
    if len(table) < shards:
        raise PrepError(
            f"configuration key tfrecord.{split}_shards",
            f"{shards} shards are asked for, but the split has {len(table)} images",
            "Choose at most as many shards as images",
        )
    table = table.append_column("label", pc.add(pc.cast(table["index"], pa.int64()), label_base))
    position = pc.index_in(table["index"], value_set=classes["index"])
    table = table.append_column("text", pc.take(classes["words"], position)).drop_columns(["index"])
    for side, lists in zip(_BOX_SIDES, box_lists(table["filename"], boxes), strict=True):
        table = table.append_column(side, lists)
    table = table.take(pa.array(permutation(len(table), seed))).combine_chunks()
    edges = boundaries(len(table), shards).tolist()
    with parquet.writing(output, table.schema) as writer:
        for start, stop in itertools.pairwise(edges):
            part = table.slice(start, stop - start)
            writer.write_table(part, row_group_size=len(part))
    return {"images": len(table), "shards": shards, "sha256": atomic.sha256(output), "format_version": versions.SHARDS}


def box_lists(filenames: pa.ChunkedArray, boxes: Path | None) -> list[pa.ListArray]:
    """For each side, the list of every image's boxes in the order of their XML."""
    n = len(filenames)
    if boxes is None:
        empty = pa.array(np.zeros(n + 1, np.int32))
        return [pa.ListArray.from_arrays(empty, pa.array([], pa.float64())) for _ in _BOX_SIDES]
    table = parquet.read(boxes, ["filename", "usable", *_BOX_SIDES])
    table = table.filter(table["usable"])
    image = pc.index_in(table["filename"], value_set=filenames.combine_chunks())
    known = pc.is_valid(image)
    table, image = table.filter(known), image.filter(known).to_numpy()
    order = np.argsort(image, kind="stable")
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(image, minlength=n), out=offsets[1:])
    return [
        pa.ListArray.from_arrays(pa.array(offsets), pa.array(table[side].to_numpy()[order], pa.float64()))
        for side in _BOX_SIDES
    ]
