"""What the samples of a split should be: from the tables of images, classes, boxes and annotations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.engine.image_reader import Numbers
from imagenet_prep.engine.plan import permutation
from imagenet_prep.formats import parquet
from imagenet_prep.products.audit import readings
from imagenet_prep.products.audit.readings import (
    BOX_LABELS,
    CLASS_INDEX,
    CRC32C,
    FILENAME,
    HEADER,
    LABEL,
    OFFSET,
    PLACE,
    WNID,
)

_BOXES = frozenset((BOX_LABELS, *BOX_SIDES))
# The columns of the table of images that others follow from.
_MADE_OF = {
    LABEL: [CLASS_INDEX],
    PLACE: [OFFSET],
    "text": [CLASS_INDEX],
    BOX_LABELS: [CLASS_INDEX],
    HEADER: ["width", "height"],
    **{side: [] for side in BOX_SIDES},
}


class Rows(Protocol):
    """A table of images in which rows are looked up: the whole one, row group by row group, or a small one."""

    def __len__(self) -> int: ...

    def find(self, filenames: pa.Array, columns: Sequence[str]) -> tuple[Numbers, Numbers, pa.Table]:
        """As `ImageReader.find`."""

    def rows(self, numbers: Numbers, columns: Sequence[str]) -> pa.Table:
        """As `ImageReader.rows`."""

    def read(self, columns: Sequence[str]) -> pa.Table:
        """As `ImageReader.read`."""


class SmallTable:
    """A table that is held in memory, with the columns of a table of images and perhaps more."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._table)

    def find(self, filenames: pa.Array, columns: Sequence[str]) -> tuple[Numbers, Numbers, pa.Table]:
        """As `ImageReader.find`."""
        found = pc.index_in(filenames, value_set=self._table[FILENAME].combine_chunks())
        position = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
        numbers = found.drop_null().to_numpy().astype(np.int64)
        return position, numbers, self.rows(numbers, columns)

    def rows(self, numbers: Numbers, columns: Sequence[str]) -> pa.Table:
        """As `ImageReader.rows`."""
        return self._table.select(list(columns)).take(pa.array(numbers))

    def read(self, columns: Sequence[str]) -> pa.Table:
        """As `ImageReader.read`."""
        return self._table.select(list(columns))


class Expected:
    """The samples that a split of a product should have.

    Args:
        images: their images, and what else there is a column of.
        classes: `labels/classes.csv`.
        boxes: a table of boxes; None where the samples have none.
        label_base: the first label.
        reencoded: names of images whose bytes are not the archive's.
        lacks: the table of boxes that is missing, so that boxes cannot be compared.
        unknown: what is said of a sample that is none of these.
    """

    def __init__(
        self,
        images: Rows,
        classes: pa.Table,
        *,
        boxes: Path | None = None,
        label_base: int = 0,
        reencoded: Collection[str] = (),
        lacks: Path | None = None,
        unknown: str = "no archive in use holds it",
    ) -> None:
        self.images, self.lacks, self.unknown = images, lacks, unknown
        self._classes, self._boxes, self._label_base = classes, boxes, label_base
        self._reencoded = pa.array(sorted(reencoded), pa.string())

    def __len__(self) -> int:
        """How many samples there should be."""
        return len(self.images)

    def in_order(self, seed: int) -> Numbers:
        """The numbers of the images in the order of shuffled samples: those of the sorted file names, by the seed."""
        by_name = pc.sort_indices(self.images.read([FILENAME])[FILENAME]).to_numpy().astype(np.int64)
        return np.asarray(by_name[permutation(len(by_name), seed)])

    def find(self, samples: pa.Table) -> tuple[Numbers, Numbers, pa.Table]:
        """Look up the samples that were found.

        Returns:
            Which of the samples are known, as their positions, int64 of shape (k,), ascending; the number of each one's
            image, the same; and what these samples should be: those of the columns of which something is known. What
            is null there is not said by any table; lists that are null are empty.
        """
        names = [
            name for name in samples.column_names if name not in (*_NOT_OF_IMAGES, *(_BOXES if self.lacks else ()))
        ]
        needed = dict.fromkeys(column for name in names for column in _MADE_OF.get(name, [name]))
        filenames = samples[FILENAME].combine_chunks()
        position, number, images = self.images.find(filenames, list(needed))
        found = filenames.take(pa.array(position))
        again = pc.is_in(found, value_set=self._reencoded)
        boxes = self._boxes_of(found) if _BOXES & set(names) else None
        columns = {name: self._column(name, images, again, boxes) for name in names}
        return position, number, pa.table(columns)

    def _column(self, name: str, images: pa.Table, again: pa.Array, boxes: pa.Table | None) -> pa.ChunkedArray:
        if name == CRC32C:
            return pc.if_else(again, None, images[CRC32C])
        if name == HEADER:
            width, height = (pc.cast(images[side], pa.string()) for side in ("width", "height"))
            return pc.if_else(
                again, pc.binary_join_element_wise("RGB JPEG of ", width, "x", height, " pixels", ""), None
            )
        if name == "format":
            return pc.if_else(again, "JPEG", images["format"])
        if name == WNID:
            return pc.fill_null(images[WNID], "")
        if name == LABEL:
            return self._labels(images)
        if name == PLACE:
            return images[OFFSET]
        if name == "text":
            numbers = self._classes[CLASS_INDEX].combine_chunks()
            position = pc.index_in(pc.cast(images[CLASS_INDEX], numbers.type), value_set=numbers)
            return pc.fill_null(pc.take(self._classes["words"], position), "")
        if name in BOX_SIDES and boxes is not None:
            return boxes[name]
        if name == BOX_LABELS and boxes is not None:
            counts = pc.fill_null(pc.list_value_length(boxes[BOX_SIDES[0]]), 0).to_numpy()
            offsets = np.concatenate([[0], np.cumsum(counts)])
            labels = np.repeat(self._labels(images).to_numpy(), counts)
            return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(labels))
        return images[name]

    def _labels(self, images: pa.Table) -> pa.ChunkedArray:
        return pc.add(pc.cast(images[CLASS_INDEX], pa.int64()), self._label_base)

    def _boxes_of(self, filenames: pa.Array) -> pa.Table:
        """The lists of the usable boxes of each image, a column a side, in the order of the table."""
        schema = pa.schema([(side, pa.list_(pa.float64())) for side in BOX_SIDES])
        if self._boxes is None:
            return pa.table({side: pa.nulls(len(filenames), schema.field(side).type) for side in BOX_SIDES})
        usable = pa.concat_tables(_usable_boxes(self._boxes, filenames))
        lists = usable.group_by(FILENAME, use_threads=False).aggregate([(side, "list") for side in BOX_SIDES])
        row = pc.index_in(filenames, value_set=lists[FILENAME].combine_chunks())
        return pa.table({side: lists[f"{side}_list"].take(row) for side in BOX_SIDES})


_NOT_OF_IMAGES = (FILENAME, readings.PATH, readings.OFFSET, readings.SIZE)


def _usable_boxes(boxes: Path, filenames: pa.Array) -> Iterable[pa.Table]:
    file = parquet.open_table(boxes)
    columns = [FILENAME, *BOX_SIDES]
    yield file.schema_arrow.empty_table().select(columns)
    for group in range(file.num_row_groups):
        table = parquet.read_groups(file, boxes, [group], ["usable", *columns])
        of_these = pc.and_(table["usable"], pc.is_in(table[FILENAME], value_set=filenames))
        yield table.filter(of_these).select(columns)
