"""Predictions that mean nothing, or more than one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_prep.products.predictions import read_predictions
from products.prediction_examples import CLASSES, IMAGES, VALIDATION, expected, refusal, scores


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (scores()[:3], "3 rows without names"),
        (scores().T, "no whole number"),
        (scores()[:, :5], "no whole number, and 5 numbers are no scores of 12 classes"),
        (np.where(scores() > 9.5, np.nan, scores()), "row 1 is NaN, or empty"),
        (scores().reshape(2, 2, CLASSES), "shape (2 x 2 x 12)"),
        (scores() > 5, "type bool"),
        (np.array([{"a": 1}] * 4), "cannot be read as an array"),
        (np.empty((0, 5)), "no prediction"),
    ],
)
def test_an_array_that_means_nothing_is_refused(array: Any, problem: str, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", array, allow_pickle=True)
    assert problem in refusal(tmp_path / "m.npy", VALIDATION).problem


def test_an_array_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", scores())
    (tmp_path / "m.npy").write_bytes((tmp_path / "m.npy").read_bytes()[:-10])
    assert "cannot be read as an array" in refusal(tmp_path / "m.npy", VALIDATION).problem


def test_an_archive_of_arrays_under_the_name_of_one_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", scores())
    (tmp_path / "m.npz").rename(tmp_path / "m.npy")
    assert "several arrays" in refusal(tmp_path / "m.npy", VALIDATION).problem


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{}", "empty object"),
        ("[]", "an empty one"),
        ("3", "no list and no object"),
        ('{"a": 1', "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"a": [[1], [2]], "b": [[3], [4]]}', "a is a list of lists"),
        ('{"a": true, "b": false}', "a is True, which is no number"),
        ('{"columns": 1, "index": 2, "data": 3}', "cannot be read as JSON"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' is in it more than once"),
        ('{\n"a": 1,\n"a": 3\n}', "'a' is in it more than once"),
        ('{"a": null, "b": 1}', "a is empty"),
        ('[{"filename": "a", "top1": 1}, {"filename": "b"}]', "entry 2 has other keys"),
    ],
)
def test_json_that_means_nothing_is_refused(document: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(document)
    assert problem in refusal(tmp_path / "m.json").problem


CSV = "filename,top1\na,1\nb,1\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "cannot be read as CSV"),
        ("filename,top1\n", "no prediction"),
        ("filename\na\nb\n", "names of images alone"),
        ("filename,top2\na,1\nb,1\n", "neither columns top1"),
        ("filename,score\na,1\nb,1\n", "neither columns top1"),
        ("filename,x,y\na,1,2\nb,1,2\n", "more than one thing"),
        ("image,path,top1\n1,2,3\n4,5,6\n", "where an image is to be named"),
        ("one,two,top1\nx,y,1\nz,w,1\n", "could each name images"),
        ("filename,top1\na,1\n", "b: without a prediction"),
        (CSV + "a,2\n", "a: predicted more than once"),
        (CSV + "x/a.jpg,2\n", "x/a.jpg (also as a): predicted more than once"),
        (CSV + "c,2\n", "c: no validation image"),
        ("filename,top1\na,1\nb,\n", "b is empty or no whole number"),
        ("filename,top1\na,1\nb,1.5\n", "b is empty or no whole number"),
        ("filename,top1\na,1\nb,1e300\n", "b is empty or no whole number"),
        ("filename,top1\na,1\nb,cat\n", "b is 'cat', which is no number"),
        ("filename,wnid,words\na,n00000001,kit fox\nb,n00000002,red fox\n", "more than one thing"),
        ("filename,kind,p\na,val,1\nb,val,2\n", "more than one thing"),
        ("id,top1\n2,1\n1,1\n", "its column 'id' has numbers that are not in order: 2, 1"),
        ("filename,top1\na,1\nb,n99999999\n", "b is n99999999, which is no class"),
        ("filename,top1\na,n00000001\nb,1\n", "WNIDs and numbers"),
        ("filename,top1\na,1\nb,1,2\n", "row 2 has another number of fields (3)"),
        ("filename,top1,top1\na,1,2\nb,1,2\n", "more than one column top1"),
        ('filename,top1\n"a,1\nb,1\n', "another number of fields"),
    ],
)
def test_a_text_that_means_nothing_or_too_much_is_refused(content: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(content)
    assert problem in refusal(tmp_path / "m.csv").problem


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"filename,top1\na,\xff\xfe\n")
    assert "cannot be read as CSV" in refusal(tmp_path / "m.csv").problem


def test_a_part_of_the_images_is_read_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("filename,top1\nb,2\n")
    assert refusal(tmp_path / "m.csv").remedy.endswith("or ask for a part")
    found = read_predictions(tmp_path / "m.csv", expected(IMAGES))
    assert (found.images.tolist(), found.indices.tolist()) == ([1], [[2]])


def table_of(folder: Path, *rows: Any) -> Path:
    """Predictions whose images have these cells in the one column besides their names."""
    pq.write_table(pa.table({"filename": IMAGES, "classes": list(rows)}), folder / "m.parquet")
    return folder / "m.parquet"


def test_a_damaged_file_is_to_be_written_again_by_whoever_wrote_it(tmp_path: Path) -> None:
    path = table_of(tmp_path, [1, 2], [3, 4])
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
    error = refusal(table_of(tmp_path, *rows))
    assert error.problem.startswith(f"the prediction of {name} ")
    assert problem in error.problem


def test_lists_of_different_lengths_are_an_error(tmp_path: Path) -> None:
    assert "[1, 2] entries" in refusal(table_of(tmp_path, [1], [1, 2])).problem
    assert "[0] entries" in refusal(table_of(tmp_path, [], [])).problem


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
        found = read_predictions(tmp_path / "m.parquet", expected(IMAGES))
        assert found.indices.tolist() == [[1, 2], [3, 4]]
