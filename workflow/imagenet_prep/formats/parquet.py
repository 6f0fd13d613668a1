"""Parquet tables: written whole or not at all, with checksums, so that reading finds damage.

The format is Apache Parquet's. Its pages have checksums, but its footer, with the columns' names and the numbers of
rows, has none: of a damaged footer pyarrow may make another table, or its statistics may end the process. So a table is
compared with the checksum in its receipt before it is opened (`engine.receipts.unchanged`).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_prep import atomic
from imagenet_prep.errors import AGAIN, MISSING, PrepError

Path = str | os.PathLike[str]


def write(table: pa.Table, path: Path) -> None:
    """Write a table as a file."""
    with writing(path, table.schema) as writer:
        writer.write_table(table)


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer for a table that comes piece by piece; the file appears when the block ends well."""
    with atomic.replacing(path) as partial, into(partial, schema) as writer:
        yield writer


def into(place: Path | BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer into a file that is written in place, such as a temporary one; close it. Other files: `writing`."""
    # A relative path with a colon in it would be taken for a URI.
    where = os.path.abspath(place) if isinstance(place, os.PathLike) else place
    return pq.ParquetWriter(where, schema, compression="zstd", write_page_checksum=True)


def read(path: Path, columns: Sequence[str] | None = None, *, schema: pa.Schema | None = None) -> pa.Table:
    """Read a table, or some of its columns.

    Raises:
        PrepError: the file is missing or damaged, is no table, or has another schema than the one given.
    """
    file = open_table(path, schema=schema)
    return read_groups(file, path, range(file.num_row_groups), columns)


def open_table(path: Path | BinaryIO, *, schema: pa.Schema | None = None) -> pq.ParquetFile:
    """Open a table, to read it by row groups with `read_groups`; raises as `read`."""
    with _damage(path):
        file = pq.ParquetFile(path, page_checksum_verification=True)
    if schema is not None and file.schema_arrow != schema:
        raise PrepError(_shown(path), "the table's columns are not the ones expected", AGAIN)
    return file


def read_groups(
    file: pq.ParquetFile, path: Path | BinaryIO, groups: Sequence[int], columns: Sequence[str] | None = None
) -> pa.Table:
    """Read some row groups of an open table; raises as `read`."""
    with _damage(path):
        return file.read_row_groups(list(groups), columns=None if columns is None else list(columns))


def read_batches(file: pq.ParquetFile, path: Path | BinaryIO, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of an open table, so many at a time, however large its row groups are; raises as `read`."""
    with _damage(path):
        yield from file.iter_batches(rows)


def gather(path: Path | BinaryIO, rows: np.ndarray[Any, np.dtype[np.int64]], columns: Sequence[str]) -> pa.Table:
    """The rows of a table with these numbers, int64 of shape (n,) counted from 0, in this order; raises as `read`.

    The table is read from front to back, as far as it holds any of them, so that memory depends on `n` and not on the
    table's length.
    """
    file = open_table(path)
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)], dtype=np.int64)
    edges = np.searchsorted(ascending, np.concatenate([[0], ends])).tolist()
    parts = [file.schema_arrow.empty_table().select(list(columns))]
    for group, (first, last) in enumerate(itertools.pairwise(edges)):
        if first < last:
            start = ends[group] - file.metadata.row_group(group).num_rows
            parts.append(read_groups(file, path, [group], columns).take(pa.array(ascending[first:last] - start)))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_tables(parts).take(pa.array(back))


def same_rows(path: Path, other: Path, renamed: Mapping[str, str] | None = None, without: Collection[str] = ()) -> bool:
    """Whether two tables have the same columns, and in each row group the same rows; raises as `read`.

    Args:
        path: the one.
        other: the other one.
        renamed: columns of the other one that have other names in the first: those, by their names in the other one.
        without: columns of the first that the other one does not have.
    """
    one, two = open_table(path), open_table(other)
    names = [(renamed or {}).get(name, name) for name in two.schema_arrow.names]
    own = [name for name in one.schema_arrow.names if name not in without]
    if one.num_row_groups != two.num_row_groups or own != names:
        return False
    groups = range(one.num_row_groups)
    return all(
        read_groups(one, path, [it], own).equals(read_groups(two, other, [it]).rename_columns(names)) for it in groups
    )


@contextmanager
def _damage(path: Path | BinaryIO) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise PrepError(_shown(path), "the table is missing", MISSING) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = f"the table is damaged and cannot be read ({str(error).strip().splitlines()[0]})"
        raise PrepError(_shown(path), problem, AGAIN) from error


def _shown(path: Path | BinaryIO) -> Path:
    return path if isinstance(path, str | os.PathLike) else "a temporary table"
