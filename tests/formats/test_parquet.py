"""Parquet tables that say when they are damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

TABLE = pa.table({"name": [f"n{number:08d}" for number in range(500)], "count": list(range(500))})


def test_a_table_is_read_by_pandas_as_it_was_written(tmp_path: Path) -> None:
    with parquet.writing(tmp_path / "t.parquet", TABLE.schema) as writer:
        writer.write_table(TABLE, row_group_size=100)
    assert pd.read_parquet(tmp_path / "t.parquet").equals(TABLE.to_pandas())
    assert parquet.read(tmp_path / "t.parquet", ["count"]).column_names == ["count"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        parquet.write(TABLE, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def footer(path: Path) -> int:
    """Where the footer of a table begins."""
    return path.stat().st_size - 8 - int(pq.read_metadata(path).serialized_size)


def test_a_flipped_bit_in_front_of_the_footer_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write(TABLE, path)
    whole, end = path.read_bytes(), footer(path)
    found = 0
    for offset in range(0, end, 7):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x10
        path.write_bytes(damaged)
        try:
            table = parquet.read(path)
        except PrepError as error:
            assert str(path) in str(error)
            found += 1
        else:  # headers of pages have statistics that nobody reads
            assert table.equals(TABLE)
    assert found > end // 7 * 3 / 4


def test_a_table_with_something_between_its_pages_and_its_footer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write(TABLE, path)
    whole, end = path.read_bytes(), footer(path)
    path.write_bytes(whole[:end] + b"CRC32C\r\n\1\2\3\4" + whole[end:])  # as earlier versions wrote them
    assert parquet.read(path).equals(TABLE)


def test_a_table_of_another_program_is_read(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    assert parquet.read(tmp_path / "t.parquet").equals(TABLE)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table at all", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_table_is_an_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(PrepError, match=r"t\.parquet: the table is damaged"):
        parquet.read(tmp_path / "t.parquet")


def test_a_missing_table_is_an_error_that_says_how_it_comes_back(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"t\.parquet: the table is missing\. Run"):
        parquet.read(tmp_path / "t.parquet")


def test_another_schema_than_the_one_expected_is_an_error(tmp_path: Path) -> None:
    parquet.write(TABLE, tmp_path / "t.parquet")
    with pytest.raises(PrepError, match="columns are not the ones expected"):
        parquet.read(tmp_path / "t.parquet", schema=pa.schema([("name", pa.string())]))


def test_a_table_that_could_not_be_written_to_its_end_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), parquet.writing(tmp_path / "t.parquet", TABLE.schema) as writer:
        writer.write_table(TABLE)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grouped") / "t.parquet"
    with parquet.writing(path, TABLE.schema) as writer:
        writer.write_table(TABLE, row_group_size=70)
    return path


@settings(max_examples=50)
@given(rows=st.lists(st.integers(0, len(TABLE) - 1)))
def test_rows_are_gathered_from_all_row_groups_in_the_order_asked_for(grouped: Path, rows: list[int]) -> None:
    found = parquet.gather(grouped, np.array(rows, np.int64), ["name"])
    assert found["name"].to_pylist() == [f"n{row:08d}" for row in rows]
