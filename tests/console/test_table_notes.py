"""What is odd among the images and boxes is counted over the whole of their tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from imagenet_prep.console import table_notes
from imagenet_prep.formats import parquet

AGAIN = {"cmyk_to_rgb": True, "png_to_jpeg": True}


def images(folder: Path, *kinds: tuple[str, str]) -> Path:
    """A table of images, of row groups of two, given by colour space and format."""
    colorspaces, formats = zip(*kinds, strict=True)
    table = pa.table({"file": ["name"] * len(kinds), "colorspace": colorspaces, "format": formats})
    with parquet.writing(folder / "images.parquet", table.schema) as writer:
        writer.write_table(table, row_group_size=2)
    return folder / "images.parquet"


@pytest.mark.parametrize(
    ("shards", "where"),
    [
        (AGAIN, " (CMYK and PNG: as RGB JPEG in shards)"),
        (AGAIN | {"png_to_jpeg": False}, " (CMYK: as RGB JPEG in shards)"),
        ({"cmyk_to_rgb": False, "png_to_jpeg": False}, ""),
    ],
)
def test_odd_images_are_told_with_what_becomes_of_them(shards: dict[str, bool], where: str, tmp_path: Path) -> None:
    kinds = [("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("CMYK", "JPEG"), ("CMYK", "JPEG")]
    assert table_notes.of_images(images(tmp_path, *kinds), shards) == f"Odd images: 3 CMYK, 1 PNG{where}"


def test_what_there_is_none_of_is_not_made_into_something_else(tmp_path: Path) -> None:
    text = table_notes.of_images(images(tmp_path, ("RGB", "PNG")), AGAIN)
    assert text == "Odd images: 0 CMYK, 1 PNG (PNG: as RGB JPEG in shards)"
    assert table_notes.of_images(images(tmp_path, ("RGB", "JPEG")), AGAIN) == ""


def test_images_are_counted_by_split_over_all_row_groups(tmp_path: Path) -> None:
    table = pa.table({"split": ["train", "train", "train", "validation", "train"], "length": [1, 2, 3, 4, 5]})
    with parquet.writing(tmp_path / "images.parquet", table.schema) as writer:
        writer.write_table(table, row_group_size=2)
    assert table_notes.by_split(tmp_path / "images.parquet") == {"train": (4, 11), "validation": (1, 4)}


def test_unusable_boxes_are_counted_among_all(tmp_path: Path) -> None:
    path = tmp_path / "bboxes.parquet"
    table = pa.table({"usable": [True, False, True, False, True]})
    with parquet.writing(path, table.schema) as writer:
        writer.write_table(table, row_group_size=2)
    assert table_notes.of_boxes(path) == f"Odd boxes: 2 of 5 are in no record; {path} says why"
    parquet.write(pa.table({"usable": [True]}), path)
    assert table_notes.of_boxes(path) == ""
