"""Parquet tables: written whole or not at all, with a checksum on every page, so that reading finds damage.

The format is Apache Parquet's; the page checksums are the CRC-32 of its page headers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError

AGAIN = "Delete it and run the same command again: it is made anew"

Path = str | os.PathLike[str]


def write(table: pa.Table, path: Path, *, row_group_size: int | None = None) -> None:
    """Write a table as a file; `row_group_size` in rows."""
    with writing(path, table.schema) as writer:
        writer.write_table(table, row_group_size=row_group_size)


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer for a table that comes piece by piece; the file appears when the block ends well."""
    with (
        atomic.replacing(path) as partial,
        pq.ParquetWriter(partial, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        yield writer


def read(path: Path, columns: Sequence[str] | None = None, *, schema: pa.Schema | None = None) -> pa.Table:
    """Read a table, or some of its columns.

    Raises:
        PrepError: the file is missing or damaged, is no table, or has another schema than the one given.
    """
    file = open_table(path)
    table = read_groups(file, path, range(file.num_row_groups), columns)
    if schema is not None and table.schema != schema:
        raise PrepError(path, "the table's columns are not the ones expected", AGAIN)
    return table


def open_table(path: Path) -> pq.ParquetFile:
    """Open a table, to read it by row groups with `read_groups`; raises as `read`."""
    with _damage(path):
        return pq.ParquetFile(path, page_checksum_verification=True)


def read_groups(
    file: pq.ParquetFile, path: Path, groups: Sequence[int], columns: Sequence[str] | None = None
) -> pa.Table:
    """Read some row groups of an open table; raises as `read`."""
    with _damage(path):
        return file.read_row_groups(list(groups), columns=None if columns is None else list(columns))


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise PrepError(path, "the table is missing", "Run the same command again: it is made anew") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = f"the table is damaged and cannot be read ({str(error).strip().splitlines()[0]})"
        raise PrepError(path, problem, AGAIN) from error
