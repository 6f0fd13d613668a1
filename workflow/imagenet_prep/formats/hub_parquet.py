"""Parquet files of images as Hugging Face's `datasets` writes them, and the card that says what they hold.

An image is a struct of its bytes and its path, uncompressed and in no dictionary; all else is compressed by Snappy.
Pages are cut where the content says so, so that the Hub stores what two versions of a file share once; row groups have
about 100 MB, and pages an index, by which single rows are read. What the columns mean stands in the schema's metadata,
under `huggingface`, and in the YAML of the card (`README.md`). Nothing in a file tells of the time or the machine; the
name and the version of the library that writes it stand in its footer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from imagenet_prep.formats.stream import Buffer

ROW_GROUP = 100_000_000
"""Bytes of images from which on a row group is full."""

_CHUNK = 16 << 20  # bytes of images that are put together at a time
_CHUNKING = {"min_chunk_size": 256 << 10, "max_chunk_size": 1 << 20, "norm_level": 0}
_BOX = 4
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_OBJECTS = pa.struct([("bbox", pa.list_(pa.list_(pa.float32(), _BOX))), ("category", pa.list_(pa.int64()))])
# The columns of the file, as Parquet names them.
_BYTES = "image.bytes"
_OTHERS = ["image.path", "label", "objects.bbox.list.element.list.element", "objects.category.list.element"]


@dataclass(frozen=True)
class Sample:
    """A row.

    Attributes:
        image: its bytes.
        path: its file name.
        label: the class; -1 where it has none.
        boxes: left, upper, right and lower edge of each box, as parts of the width and height, 0 … 1.
    """

    image: Buffer
    path: str
    label: int
    boxes: Sequence[Sequence[float]]


def features(names: Sequence[str]) -> dict[str, Any]:
    """The columns as `datasets` has them in JSON; `Sequence`, which versions before 4.0 know, too."""
    numbers = {"feature": {"dtype": "float32", "_type": "Value"}, "length": _BOX, "_type": "Sequence"}
    return {
        "image": {"_type": "Image"},
        "label": {"names": list(names), "_type": "ClassLabel"},
        "objects": {
            "bbox": {"feature": numbers, "_type": "Sequence"},
            "category": {"feature": {"dtype": "int64", "_type": "Value"}, "_type": "Sequence"},
        },
    }


def schema(names: Sequence[str]) -> pa.Schema:
    """The columns, with what `datasets` reads of them.

    Args:
        names: of the classes, by label; no two alike.
    """
    about = json.dumps({"info": {"features": features(names)}}, ensure_ascii=False)
    columns = pa.schema([("image", _IMAGE), ("label", pa.int64()), ("objects", _OBJECTS)])
    return columns.with_metadata({"huggingface": about})


def card(names: Sequence[str], splits: Mapping[str, tuple[int, int]], pretty_name: str) -> str:
    """The dataset card: by split the number of its rows and of its bytes; its files are `data/<split>-*`."""
    boxes = {"sequence": "float32", "length": _BOX}
    objects = [{"name": "bbox", "sequence": boxes}, {"name": "category", "sequence": "int64"}]
    label = {"class_label": {"names": {str(number): name for number, name in enumerate(names)}}}
    nbytes = sum(nbytes for _, nbytes in splits.values())
    about = {
        "pretty_name": pretty_name,
        "task_categories": ["image-classification"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*"} for split in splits],
            }
        ],
        "dataset_info": {
            "features": [
                {"name": "image", "dtype": "image"},
                {"name": "label", "dtype": label},
                {"name": "objects", "struct": objects},
            ],
            "splits": [
                {"name": split, "num_bytes": nbytes, "num_examples": rows} for split, (rows, nbytes) in splits.items()
            ],
            "download_size": nbytes,
            "dataset_size": nbytes,
        },
    }
    return f"---\n{yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=1000)}---\n\n# {pretty_name}\n"


def write_samples(path: str | os.PathLike[str], samples: Iterable[Sample], columns: pa.Schema) -> None:
    """Write a file of rows; some of them are in memory at a time, of at most `ROW_GROUP` bytes of images."""
    with pq.ParquetWriter(
        path,
        columns,
        compression={_BYTES: "none", **dict.fromkeys(_OTHERS, "snappy")},
        use_dictionary=_OTHERS,
        write_page_index=True,
        use_content_defined_chunking=_CHUNKING,
    ) as writer:
        for group in _groups(samples, columns):
            writer.write_table(pa.Table.from_batches(group, columns), row_group_size=1 << 30)
            group.clear()  # else it would be held beside the next one


def _groups(samples: Iterable[Sample], columns: pa.Schema) -> Iterator[list[pa.RecordBatch]]:
    """Row groups, in pieces; the images of all of them lie in the same memory, so that one is valid until the next."""
    memory = memoryview(bytearray(ROW_GROUP + _CHUNK))
    pieces: list[pa.RecordBatch] = []
    waiting: list[Sample] = []
    held = of_group = 0
    for sample in samples:
        waiting.append(sample)
        held += len(sample.image)
        of_group += len(sample.image)
        if held >= _CHUNK or of_group >= ROW_GROUP:
            pieces.append(_piece(waiting, columns, memory[of_group - held : of_group]))
            waiting, held = [], 0
        if of_group >= ROW_GROUP:
            yield pieces
            pieces, of_group = [], 0
    if waiting:
        pieces.append(_piece(waiting, columns, memory[of_group - held : of_group]))
    if pieces:
        yield pieces


def _piece(samples: Sequence[Sample], columns: pa.Schema, memory: memoryview) -> pa.RecordBatch:
    ends = np.cumsum([0, *(len(it.image) for it in samples)], dtype=np.int32)
    if len(memory) < ends[-1]:  # the last image of a group is a very large one
        memory = memoryview(bytearray(int(ends[-1])))
    for sample, begin, end in zip(samples, ends, ends[1:], strict=False):
        memory[begin:end] = sample.image
    contents = pa.Array.from_buffers(pa.binary(), len(samples), [None, pa.py_buffer(ends), pa.py_buffer(memory)])
    images = [contents, pa.array([it.path for it in samples], pa.string())]
    objects = [{"bbox": it.boxes, "category": [it.label] * len(it.boxes)} for it in samples]
    return pa.record_batch(
        [
            pa.StructArray.from_arrays(images, fields=list(_IMAGE)),
            pa.array([it.label for it in samples], pa.int64()),
            pa.array(objects, _OBJECTS),
        ],
        schema=columns,
    )


def read_samples(path: str | os.PathLike[str], rows: int = 64) -> Iterator[Sample]:
    """The rows of a file, so many at a time in memory; an image is valid until the next one is asked for.

    Damage in a file can end the process in which it is read: nothing in it has a checksum.

    Raises:
        pyarrow.ArrowException, OSError, ValueError, KeyError: it is not such a file.
    """
    with pq.ParquetFile(path, pre_buffer=False) as file:
        found = file.schema_arrow.remove_metadata()
        if found != schema([]).remove_metadata():
            raise ValueError(f"its columns are not those of images, but {found.names}")
        for batch in file.iter_batches(rows, use_threads=False):
            images = batch.column("image")
            contents, paths = images.field("bytes"), images.field("path").to_pylist()
            objects = batch.column("objects").to_pylist()
            for row, (name, label, of_row) in enumerate(
                zip(paths, batch.column("label").to_pylist(), objects, strict=True)
            ):
                if of_row["category"] != [label] * len(of_row["bbox"]):
                    raise ValueError(f"the boxes of {name} are of other classes than the image")
                yield Sample(memoryview(contents[row].as_buffer()).cast("B"), name, label, of_row["bbox"])
