"""pandas and DuckDB read the tables, and join them by the names of image files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from readers.reading import SIDES, Reading
from readers.snippets import run

TABLES = Path("results/tables")
NO_BOXES = np.zeros((0, 4), np.float32)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table, as pyarrow reads them."""
    return pq.ParquetFile(path).read().to_pylist()


def test_pandas_finds_the_boxes_of_every_image(reading: Reading) -> None:
    boxes = run("pandas", reading.split)["boxes"]
    assert len(boxes) == sum(row["usable"] for row in rows(TABLES / "bboxes.parquet"))
    boxes = boxes[boxes["split"] == reading.split]
    found = {name: group[list(SIDES)].to_numpy(np.float32) for name, group in boxes.groupby("filename")}
    for image in reading.images.values():
        assert np.array_equal(found.get(image.filename, NO_BOXES), image.boxes)


def test_pandas_finds_the_image_of_every_box(reading: Reading) -> None:
    boxes = run("pandas", reading.split)["boxes"]
    columns = boxes.loc[boxes["split"] == reading.split, ["filename", "wnid", "class_index", "width", "height"]]
    assert len(columns)
    for filename, *values in columns.itertuples(index=False):
        image = reading.images[filename]
        assert values == [image.wnid, image.index, image.width, image.height]


def test_pandas_finds_an_image_in_its_archive(reading: Reading) -> None:
    names = run("one image", reading.split)
    row = names["image"]
    expected = Reading(reading.project, row["split"]).images[row["filename"]]
    assert names["jpeg"] == expected.content
    assert expected.looks_like(np.stack([expected.pixels[:, :, 0]] * 3, axis=2)), "it was to be a grayscale one"


def test_duckdb_joins_images_classes_and_annotations(reading: Reading) -> None:
    found = run("DuckDB", reading.split)["judged"]
    images = Reading(reading.project, "validation").images
    judged = [row for row in rows(TABLES / "multilabel.parquet") if not row["is_problematic"]]
    judged.sort(key=lambda row: row["file_name"])
    assert judged
    assert found["file_name"].tolist() == [row["file_name"] for row in judged]
    for row, (name, wnid, words, width, height, correct, unclear) in zip(
        judged, found.itertuples(index=False), strict=True
    ):
        image = images[name]
        assert (wnid, words, width, height) == (image.wnid, image.words, image.width, image.height)
        assert (list(correct), list(unclear)) == (row["correct_multi_labels"], row["unclear_multi_labels"])


@pytest.mark.parametrize("table", ["images", "bboxes", "multilabel"])
def test_duckdb_finds_every_row(reading: Reading, table: str) -> None:
    path = TABLES / f"{table}.parquet"
    relation = duckdb.sql(f"FROM '{path}'")
    found = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert found == rows(path)


def test_duckdb_finds_every_class(reading: Reading) -> None:
    path = "results/labels/classes.csv"
    with open(path, newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    relation = duckdb.sql(f"FROM '{path}'")
    assert relation.columns == list(expected[0])
    assert [[str(value) for value in row] for row in relation.fetchall()] == [list(row.values()) for row in expected]
