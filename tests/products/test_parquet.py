"""Parquet files laid out as the Hub has them: all follows from the configuration, and the test set is there, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import builders
from builders import CRANE, FOX, MACHINE
from imagenet_prep.formats import parquet
from imagenet_prep.products.audit.readings import read_apart
from imagenet_prep.products.parquet import class_names
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

SIDES = {"xmin": 0.1, "ymin": 0.2, "xmax": 0.3, "ymax": 1.0}
TEST = {f"ILSVRC2012_test_{number:08d}.JPEG": builders.image(number) for number in (1, 2, 3)}


class World(Jobs):
    """An archive of a split, its images and the plan of its files."""

    def __init__(self, folder: Path, split: str, images: dict[str, bytes], **changes: Any) -> None:
        use = ["train", "test", "devkit", "bbox_train"]
        super().__init__(folder, {"use": use, "parquet": {f"{split}_shards": 2}, **changes})
        self.content, self.split = images, split
        self.images(split, images)
        rows = [{"filename": f"{FOX}_9.JPEG", "usable": True, **SIDES}] * 2
        self.made("boxes", split, {"parquet": lambda path: parquet.write(pa.Table.from_pylist(rows), path)})
        self.planned = self.plan("parquet", split)

    def rows(self) -> list[dict[str, Any]]:
        """Make all files; return their rows in order."""
        self.make("parquet", self.split, 0, 1)
        return [row for path in self.files() for row in pq.read_table(path).to_pylist()]

    def files(self) -> list[Path]:
        return sorted((self.output_dir / "parquet" / "data").iterdir())


def test_every_image_is_in_one_row_byte_for_byte_in_the_order_of_the_plan(tmp_path: Path) -> None:
    world = World(tmp_path, "train", builders.train_images())
    rows = world.rows()
    assert {row["image"]["path"]: row["image"]["bytes"] for row in rows} == world.content
    planned = pq.read_table(world.planned)
    assert [row["image"]["path"] for row in rows] == planned["filename"].to_pylist()
    assert [row["label"] for row in rows] == planned["label"].to_pylist()


def test_labels_count_from_0_and_boxes_are_objects(tmp_path: Path) -> None:
    rows = {row["image"]["path"]: row for row in World(tmp_path, "train", builders.train_images()).rows()}
    assert [rows[f"{wnid}_9.JPEG"]["label"] for wnid in (CRANE, FOX, MACHINE)] == [0, 1, 2]
    box = np.array([*SIDES.values()], np.float32).tolist()
    assert rows[f"{FOX}_9.JPEG"]["objects"] == {"bbox": [box, box], "category": [1, 1]}
    assert rows[f"{CRANE}_2.JPEG"]["objects"] == {"bbox": [], "category": []}


def test_images_of_the_test_set_have_the_label_minus_1(tmp_path: Path) -> None:
    world = World(tmp_path, "test", TEST)
    rows = world.rows()
    assert {row["image"]["path"]: row["image"]["bytes"] for row in rows} == TEST
    assert {row["label"] for row in rows} == {-1}


def test_the_files_are_called_as_on_the_hub(tmp_path: Path) -> None:
    world = World(tmp_path, "train", builders.train_images())
    world.rows()
    assert [path.name for path in world.files()] == [f"train-0000{number}-of-00002.parquet" for number in (0, 1)]


def test_the_card_counts_rows_and_names_the_classes(tmp_path: Path) -> None:
    world = World(tmp_path, "train", builders.train_images())
    world.rows()
    SPLIT_PRODUCTS["parquet"].describe(world.given("parquet_description"))
    card = (world.output_dir / "parquet" / "README.md").read_text()
    about = yaml.safe_load(card.split("---\n")[1])["dataset_info"]
    nbytes = sum(path.stat().st_size for path in world.files())
    assert about["splits"] == [{"name": "train", "num_bytes": nbytes, "num_examples": 9}]
    names = about["features"][1]["dtype"]["class_label"]["names"]
    assert names == {str(number): f"words of {wnid}" for number, wnid in enumerate((CRANE, FOX, MACHINE))}


def test_classes_with_the_same_words_have_names_of_their_own_as_on_the_hub(tmp_path: Path) -> None:
    world = World(tmp_path, "train", builders.train_images())
    inputs = world.given("parquet_description")
    words = ["crane" if wnid in (CRANE, MACHINE) else "fox" for wnid in inputs.synsets["wnid"].to_pylist()]
    column = inputs.synsets.column_names.index("words")
    inputs.synsets = inputs.synsets.set_column(column, "words", pa.array(words))
    assert class_names(inputs) == ["crane", "fox", "crane2"]


@pytest.mark.parametrize(("numbers", "names"), [("original", 3), ("renumbered", 2)])
def test_a_subset_has_the_names_of_its_numbers(numbers: str, names: int, tmp_path: Path) -> None:
    images = {name: content for name, content in builders.train_images().items() if not name.startswith(FOX)}
    world = World(tmp_path, "train", images, classes=[CRANE, MACHINE], subset_labels=numbers)
    assert len(class_names(world.given("parquet_description"))) == names


def end_the_process(path: Path) -> Iterator[dict[str, Any]]:
    yield {"filename": "a.JPEG"}
    os._exit(17)


def test_a_file_that_ends_the_process_in_which_it_is_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file.parquet").write_bytes(b"damaged")
    reading = read_apart(tmp_path, "parquet", tmp_path / "file.parquet", ("filename",), end_the_process)
    (problem,) = reading.problems
    assert str(problem).startswith(f"{tmp_path / 'file.parquet'}: it is damaged")
    assert len(reading.samples) == 0
