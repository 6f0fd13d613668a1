"""TFRecord shards: names and features are those of TensorFlow's scripts, and all follows from the configuration."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tfrecord import reader

import builders
from builders import CRANE, FOX, image
from imagenet_prep.formats import example, parquet
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

SHARDS = 3
Features = dict[str, Any]


class World(Jobs):
    """A training archive, its images and the plan of its records."""

    def __init__(
        self, folder: Path, images: dict[str, bytes] | None = None, boxes: list[Features] | None = None
    ) -> None:
        self.content = images or builders.train_images()
        use = ["train", "devkit", *(["bbox_train"] if boxes else [])]
        super().__init__(folder, {"use": use, "tfrecord": {"train_shards": min(SHARDS, len(self.content))}})
        self.folder = self.output_dir / "tfrecord"
        self.images("train", self.content)
        if boxes:
            self.made("boxes", "train", {"parquet": lambda path: parquet.write(pa.Table.from_pylist(boxes), path)})
        self.planned = self.plan("tfrecord", "train")

    def write(self, **shards: Any) -> Features:
        """Make all shards, with other values in the section `shards` of the configuration."""
        self.configure({"shards": shards})
        return self.make("tfrecord", "train", 0, SHARDS - 1)

    def shards(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def records(self) -> dict[str, Features]:
        """All records by file name, as another reader and the decoder find them."""
        found: dict[str, Features] = {}
        for path in sorted(self.folder.iterdir()):
            for record in reader.tfrecord_iterator(str(path)):
                features = example.decode(bytes(record))
                name = bytes(features["image/filename"][0]).decode()
                assert name not in found
                found[name] = features
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_every_image_is_in_one_record_byte_for_byte(world: World) -> None:
    world.write()
    assert {name: features["image/encoded"] for name, features in world.records().items()} == {
        name: [content] for name, content in world.content.items()
    }


def test_the_shards_have_the_names_of_the_field(world: World) -> None:
    world.write()
    assert list(world.shards()) == ["train-00000-of-00003", "train-00001-of-00003", "train-00002-of-00003"]


def test_a_record_holds_what_tensorflow_s_scripts_write(tmp_path: Path) -> None:
    name = f"{FOX}_9.JPEG"
    sides = {"xmin": 0.125, "ymin": 0.25, "xmax": 0.5, "ymax": 0.75}
    world = World(tmp_path, boxes=[{"filename": name, "usable": True, **sides}] * 2)
    world.write()
    features = world.records()[name]
    width, height = Image.open(io.BytesIO(world.content[name])).size
    assert features == {
        "image/encoded": [world.content[name]],
        "image/height": [height],
        "image/width": [width],
        "image/channels": [3],
        "image/colorspace": [b"RGB"],
        "image/format": [b"JPEG"],
        "image/filename": [name.encode()],
        "image/class/label": [2],
        "image/class/synset": [FOX.encode()],
        "image/class/text": [f"words of {FOX}".encode()],
        "image/object/bbox/label": [2, 2],
        **{f"image/object/bbox/{side}": [value] * 2 for side, value in sides.items()},
    }


def test_an_image_without_boxes_has_empty_lists(world: World) -> None:
    world.write()
    features = world.records()[f"{CRANE}_2.JPEG"]
    assert {name: values for name, values in features.items() if "bbox" in name} == {
        f"image/object/bbox/{name}": [] for name in ("label", "xmin", "ymin", "xmax", "ymax")
    }


def test_records_stand_in_the_order_of_the_plan(world: World) -> None:
    world.write()
    assert list(world.records()) == pq.read_table(world.planned)["filename"].to_pylist()


def test_the_order_of_the_archive_does_not_change_the_shards(tmp_path: Path) -> None:
    worlds = []
    for name, order in (("one", 1), ("two", -1)):
        worlds.append(World(tmp_path / name, dict(list(builders.train_images().items())[::order])))
        worlds[-1].write()
    assert worlds[0].shards() == worlds[1].shards()


def odd_images() -> dict[str, bytes]:
    return {
        f"{FOX}_1.JPEG": image(1, mode="CMYK"),
        f"{FOX}_2.JPEG": image(2, form="PNG"),
        f"{FOX}_3.JPEG": image(3, mode="L"),
    }


def test_cmyk_and_png_are_stored_as_rgb_jpeg_and_grayscale_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path, odd_images())
    world.write()
    found = {name: Image.open(io.BytesIO(features["image/encoded"][0])) for name, features in world.records().items()}
    assert {name: (picture.format, picture.mode) for name, picture in found.items()} == {
        f"{FOX}_1.JPEG": ("JPEG", "RGB"),
        f"{FOX}_2.JPEG": ("JPEG", "RGB"),
        f"{FOX}_3.JPEG": ("JPEG", "L"),
    }


def test_the_format_is_that_of_the_stored_bytes(tmp_path: Path) -> None:
    world = World(tmp_path, odd_images())
    for reencoded, written in ((True, b"JPEG"), (False, b"PNG")):
        world.write(png_to_jpeg=reencoded)
        assert world.records()[f"{FOX}_2.JPEG"]["image/format"] == [written]


def test_odd_images_are_left_as_they_are_where_that_is_wanted(tmp_path: Path) -> None:
    world = World(tmp_path, odd_images())
    world.write(cmyk_to_rgb=False, png_to_jpeg=False)
    assert {name: features["image/encoded"][0] for name, features in world.records().items()} == world.content


def test_a_record_of_a_large_image_has_the_lengths_that_its_readers_need(tmp_path: Path) -> None:
    content = image(0, (400, 300))
    world = World(tmp_path, {f"{FOX}_1.JPEG": content})
    world.write()
    data = (world.folder / "train-00000-of-00001").read_bytes()
    assert struct.unpack("<Q", data[:8])[0] == len(data) - 16


def test_the_receipt_names_the_shards_with_their_records(world: World) -> None:
    receipt = world.write()
    assert {path: of["records"] for path, of in receipt["files"].items()} == {
        f"tfrecord/{name}": 3 for name in world.shards()
    }


def test_a_batch_beyond_the_last_shard_ends_with_it(world: World) -> None:
    assert list(world.make("tfrecord", "train", 2, 15)["files"]) == ["tfrecord/train-00002-of-00003"]


@pytest.mark.parametrize(("label_base", "label"), [(0, 1), (1, 2)])
def test_labels_begin_where_the_configuration_says(tmp_path: Path, label_base: int, label: int) -> None:
    world = World(tmp_path)
    world.configure({"tfrecord": {"label_base": label_base}})
    world.plan("tfrecord", "train")
    world.write()
    assert world.records()[f"{FOX}_9.JPEG"]["image/class/label"] == [label]


def test_the_units_of_a_split_are_the_files_that_are_made_of_it(world: World) -> None:
    it = SPLIT_PRODUCTS["tfrecord"]
    assert it.units(world.given("tfrecord", "train"), "train") == list(world.write()["files"])
    assert it.existing(world.config, "train") == it.count(world.config, "train") == SHARDS
