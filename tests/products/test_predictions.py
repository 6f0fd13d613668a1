"""Predictions that people hand in as Parquet, where a cell can hold anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import is_one_line
from imagenet_prep.errors import PrepError
from imagenet_prep.products.predictions import read_predictions

IMAGES = ["a", "b"]


def refusal(path: Path) -> PrepError:
    with pytest.raises(PrepError) as caught:
        read_predictions(path, IMAGES)
    assert caught.value.place == str(path)
    assert is_one_line(caught.value)
    return caught.value


def lists(folder: Path, *rows: Any) -> Path:
    """Predictions whose images have these cells in the one column besides their names."""
    pq.write_table(pa.table({"filename": IMAGES, "classes": list(rows)}), folder / "m.parquet")
    return folder / "m.parquet"


def test_a_damaged_file_is_to_be_written_again_by_whoever_wrote_it(tmp_path: Path) -> None:
    path = lists(tmp_path, [1, 2], [3, 4])
    path.write_bytes(path.read_bytes()[:-20])
    error = refusal(path)
    assert "damaged" in error.problem
    assert "Delete" not in str(error)
    assert "write it again" in error.remedy


def test_a_file_that_is_not_there_is_not_said_to_be_made_anew(tmp_path: Path) -> None:
    error = refusal(tmp_path / "m.parquet")
    assert "not there" in error.problem
    assert "anew" not in error.remedy


@pytest.mark.parametrize(
    ("rows", "name", "problem"),
    [
        (([1, 2], None), "b", "no list"),
        ((None, [1, 2]), "a", "no list"),
        (([[1], [2]], [[3], [4]]), "a", "a list of lists"),
        (([[1, 2]], [[3]]), "a", "a list of lists"),
        (([1, 2], [1, None]), "b", "empty or no whole number"),
        ((["fox"], ["cat"]), "a", "no number"),
        (([{"index": 1}], [{"index": 2}]), "a", "no number"),
    ],
)
def test_a_cell_of_no_numbers_is_told_by_row(rows: tuple[Any, Any], name: str, problem: str, tmp_path: Path) -> None:
    error = refusal(lists(tmp_path, *rows))
    assert error.problem.startswith(f"the prediction of {name} ")
    assert problem in error.problem


def test_lists_of_different_lengths_are_an_error(tmp_path: Path) -> None:
    assert "[1, 2] entries" in refusal(lists(tmp_path, [1], [1, 2])).problem
    assert "[0] entries" in refusal(lists(tmp_path, [], [])).problem


def test_two_columns_of_a_name_are_an_error(tmp_path: Path) -> None:
    table = pa.table([IMAGES, [1, 2], [3, 4]], names=["filename", "top1", "top1"])
    pq.write_table(table, tmp_path / "m.parquet")
    assert "more than one column top1" in refusal(tmp_path / "m.parquet").problem


def test_a_cell_without_a_number_in_a_column_of_numbers_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"filename": IMAGES, "top1": [1, None]}).to_parquet(tmp_path / "m.parquet")
    assert refusal(tmp_path / "m.parquet").problem.startswith("the prediction of b ")


def test_lists_of_every_kind_that_parquet_has_are_read(tmp_path: Path) -> None:
    for kind in (pa.list_(pa.int16()), pa.large_list(pa.int64()), pa.list_(pa.int32(), 2)):
        column = pa.array([[1, 2], [3, 4]], kind)
        pq.write_table(pa.table({"filename": IMAGES, "classes": column}), tmp_path / "m.parquet")
        assert read_predictions(tmp_path / "m.parquet", IMAGES).tolist() == [[1, 2], [3, 4]]
