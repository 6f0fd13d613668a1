"""The multi-label set in shards: the annotated images with all their labels, and ImageNet-M beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tfrecord import reader

import builders
from builders import image
from imagenet_prep.datasets.human_accuracy import MULTILABEL
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from imagenet_prep.products.tfds import MULTILABEL_DESCRIPTION
from products.jobs import Jobs

NAME = "tfrecord_multilabel"
PRODUCT = SPLIT_PRODUCTS[NAME]
Row = dict[str, Any]


def annotated(number: int, *, hard: bool = False, problematic: bool = False) -> Row:
    """What people say of a validation image."""
    return {
        "file_name": f"ILSVRC2012_val_{number:08d}.JPEG",
        "original_label": number % 3,
        "correct_multi_labels": [number % 3, 2],
        "wrong_multi_labels": [],
        "unclear_multi_labels": [1],
        "is_problematic": problematic,
        "imagenet_m": hard,
    }


ROWS = [annotated(1), annotated(3, hard=True), annotated(4, problematic=True), annotated(6)]


class World(Jobs):
    """Six validation images, of which some are annotated."""

    def __init__(self, folder: Path, rows: list[Row], shards: int = 2, images: dict[str, bytes] | None = None) -> None:
        super().__init__(folder, {"tfrecord": {"validation_shards": shards}})
        self.content = images or builders.val_images()
        self.images("validation", self.content)
        table = self.output_dir / "tables" / "multilabel.parquet"
        parquet.write(pa.Table.from_pylist(rows, schema=MULTILABEL), table)
        self.file("multilabel", table)

    def write(self, split: str = "validation") -> dict[str, Row]:
        """Plan and make a split; return its records by name."""
        self.plan(NAME, split)
        made = self.make(NAME, split, 0, 15)
        paths = [self.output_dir / path for path in made["files"]]
        assert list(made["files"]) == PRODUCT.units(self.given(NAME, split), split)
        records = [example.decode(bytes(it)) for path in paths for it in reader.tfrecord_iterator(str(path))]
        assert sum(of["records"] for of in made["files"].values()) == len(records)
        return {bytes(record["file_name"][0]).decode(): record for record in records}


def test_every_annotated_image_is_a_record_with_its_labels_and_bytes(tmp_path: Path) -> None:
    world = World(tmp_path, ROWS)
    records = world.write()
    assert sorted(records) == [row["file_name"] for row in ROWS]
    for row in ROWS:
        name = row["file_name"]
        assert records[name] == {
            "file_name": [name.encode()],
            "image": [world.content[name]],
            "is_problematic": [int(row["is_problematic"])],
            "original_label": [row["original_label"]],
            **{f"{kind}_multi_labels": row[f"{kind}_multi_labels"] for kind in ("correct", "wrong", "unclear")},
        }


def test_the_hard_images_are_a_split_of_one_shard(tmp_path: Path) -> None:
    world = World(tmp_path, ROWS)
    assert list(world.write("imagenet_m")) == [ROWS[1]["file_name"]]
    assert builders.files_below(world.output_dir / NAME) == {"imagenet_m-00000-of-00001"}


def test_of_fewer_images_than_shards_each_has_a_shard(tmp_path: Path) -> None:
    world = World(tmp_path, ROWS[:3], shards=5)
    world.write()
    assert builders.files_below(world.output_dir / NAME) == {f"validation-0000{i}-of-00003" for i in range(3)}


def test_the_shuffle_follows_from_the_seed(tmp_path: Path) -> None:
    orders = []
    for seed in (1, 1, 2):
        world = World(tmp_path / f"{len(orders)}", [annotated(number) for number in range(1, 7)], shards=1)
        world.configure({"shards": {"seed": seed}})
        orders.append(list(world.write()))
    assert orders[0] == orders[1] != orders[2]


def test_odd_images_are_re_encoded_as_in_other_records(tmp_path: Path) -> None:
    name = ROWS[0]["file_name"]
    world = World(tmp_path, ROWS[:1], images=builders.val_images() | {name: image(1, mode="CMYK")})
    assert world.write()[name]["image"] != [world.content[name]]
    world.configure({"shards": {"cmyk_to_rgb": False}})
    assert world.write()[name]["image"] == [world.content[name]]


def test_annotations_of_images_that_are_not_in_use_are_left_out(tmp_path: Path) -> None:
    assert list(World(tmp_path, [*ROWS[:1], annotated(7)]).write()) == [ROWS[0]["file_name"]]


def test_without_an_annotated_image_it_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=f"no image in use is annotated.*Leave {NAME} out of products"):
        World(tmp_path, [annotated(7)]).write()


def test_without_a_hard_image_that_split_is_not_there(tmp_path: Path) -> None:
    world = World(tmp_path, ROWS[:1])
    assert world.write("imagenet_m") == {}
    assert not (world.output_dir / NAME).exists()


def test_the_description_names_the_splits_that_have_records(tmp_path: Path) -> None:
    for rows, names in ((ROWS, ["imagenet_m", "validation"]), (ROWS[:1], ["validation"])):
        world = World(tmp_path / f"{len(rows)}", rows)
        world.write()
        world.write("imagenet_m")
        PRODUCT.describe(world.given(f"{NAME}_description"))
        folder = world.output_dir / NAME
        info = json.loads((folder / "dataset_info.json").read_text())
        assert sorted(split["name"] for split in info["splits"]) == names
        assert builders.files_below(folder) >= set(MULTILABEL_DESCRIPTION)
