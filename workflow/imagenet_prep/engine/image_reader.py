"""The table of images, as the audit looks things up in it: row group by row group, never the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.errors import AGAIN, PrepError
from imagenet_prep.formats import parquet

_ROWS_AT_A_TIME = 1 << 17

Numbers = np.ndarray[Any, np.dtype[np.int64]]


class ImageReader:
    """The images of one split, or of all.

    Args:
        path: the table of images, a row group of which is of one split, and of one class in train.
        split: the one whose images count; None for all.

    Attributes:
        groups: the row groups of the split.

    Raises:
        PrepError: the table is damaged, or not laid down as the workflow does it.
    """

    def __init__(self, path: Path, split: str | None = None) -> None:
        self.path = path
        self._file = parquet.open_table(path)
        metadata = self._file.metadata
        splits = self._constants("split", range(metadata.num_row_groups))
        self.groups = [group for group, value in splits.items() if split in (None, value)]

    def __len__(self) -> int:
        """The number of images."""
        return sum(self._file.metadata.row_group(group).num_rows for group in self.groups)

    def read(self, columns: Sequence[str]) -> pa.Table:
        """All images; for splits that are small."""
        return parquet.read_groups(self._file, self.path, self.groups, columns)

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """All images, in order, some at a time; all columns or some."""
        for groups in self._runs():
            yield parquet.read_groups(self._file, self.path, groups, columns)

    @cached_property
    def classes(self) -> dict[str, list[int]]:
        """The row groups of each WNID, for the train split."""
        found: dict[str, list[int]] = {}
        for group, wnid in self._constants("wnid", self.groups).items():
            found.setdefault(wnid, []).append(group)
        return found

    def of_class(self, wnid: str, columns: Sequence[str]) -> pa.Table:
        """The images of a class of the train split, none if there is no such class."""
        return parquet.read_groups(self._file, self.path, self.classes.get(wnid, []), columns)

    def find(self, filenames: pa.Array, columns: Sequence[str]) -> tuple[Numbers, Numbers, pa.Table]:
        """Look images up by name.

        Args:
            filenames: of shape (n,), perhaps unknown or twice.
            columns: what is wanted of the images.

        Returns:
            Which of the names are known, as their positions, int64 of shape (k,), ascending; the number of each one's
            row in the split, the same; and those rows.
        """
        positions, numbers, tables = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
        before, left = 0, np.arange(len(filenames))
        for part in self.parts(["filename", *columns]) if len(left) else ():
            found = pc.index_in(filenames.take(pa.array(left)), value_set=part["filename"].combine_chunks())
            known = pc.is_valid(found).to_numpy(zero_copy_only=False)
            rows = found.drop_null().to_numpy().astype(np.int64)
            positions.append(left[known])
            numbers.append(rows + before)
            tables.append(part.select(list(columns)).take(pa.array(rows)))
            before, left = before + len(part), left[~known]
            if not len(left):
                break
        position = np.concatenate(positions)
        order = np.argsort(position, kind="stable")
        schema = pa.schema([self._file.schema_arrow.field(name) for name in columns])
        table = pa.concat_tables([schema.empty_table(), *tables]).take(pa.array(order))
        return position[order], np.concatenate(numbers)[order], table

    def rows(self, numbers: Numbers, columns: Sequence[str]) -> pa.Table:
        """Rows of the split by their numbers, ascending."""
        found = [self._file.schema_arrow.empty_table().select(list(columns))]
        before = 0
        for part in self.parts(columns) if len(numbers) else ():
            inside = numbers[(numbers >= before) & (numbers < before + len(part))] - before
            found.append(part.take(pa.array(inside)))
            before += len(part)
        return pa.concat_tables(found)

    def _runs(self) -> Iterator[list[int]]:
        run: list[int] = []
        rows = 0
        for group in self.groups:
            run.append(group)
            rows += self._file.metadata.row_group(group).num_rows
            if rows >= _ROWS_AT_A_TIME:
                yield run
                run, rows = [], 0
        if run:
            yield run

    def _constants(self, column: str, groups: Sequence[int]) -> dict[int, str]:
        """The one value of a column in each of some row groups."""
        position = self._file.schema_arrow.get_field_index(column)
        found = {}
        for group in groups:
            statistics = self._file.metadata.row_group(group).column(position).statistics if position >= 0 else None
            if statistics is None or statistics.min is None or statistics.min != statistics.max:
                raise PrepError(self.path, f"a row group of the table is not of one {column}", AGAIN)
            found[group] = statistics.min
        return found
