"""Shards straight from an archive: the same bytes however they are made, with all that TensorFlow's scripts write."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crc32c import crc32c
from PIL import Image
from tfrecord import reader

import builders
from builders import CRANE, FOX, MACHINE, image
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.images import write_images
from imagenet_prep.dataset.shards import write_plan
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example
from imagenet_prep.products import tfrecords
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfrecords import Reencoding, write_shards

SHARDS = 3
BOTH = Reencoding()
Features = dict[str, Any]


class World:
    """A training archive, its images and the plan of its records."""

    def __init__(
        self, folder: Path, images: dict[str, bytes] | None = None, boxes: list[Features] | None = None
    ) -> None:
        self.images = images or builders.train_images()
        self.set = ShardSet(folder, TFRECORD, "train", min(SHARDS, len(self.images)))
        self.folder = self.set.folder
        self.plan = folder / "plan.parquet"
        self.archive = folder / "archives" / "train.tar"
        self.table = builders.labelled(self.archive.parent, "train", self.images)
        write_images([self.table], folder / "images.parquet")
        joined = None
        if boxes:
            joined = folder / "boxes.parquet"
            pq.write_table(pa.Table.from_pylist(boxes), joined)
        write_plan(
            folder / "images.parquet",
            joined,
            select_classes(builders.synsets(), None, "original"),
            split="train",
            shards=self.set.shards,
            seed=12345,
            label_base=1,
            output=self.plan,
        )

    def write(self, first: int = 0, last: int = SHARDS - 1, reencoding: Reencoding = BOTH) -> Features:
        return write_shards(self.plan, self.set, first, last, self.archive, reencoding)

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
        name: [content] for name, content in world.images.items()
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
    width, height = Image.open(io.BytesIO(world.images[name])).size
    assert features == {
        "image/encoded": [world.images[name]],
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
    assert list(world.records()) == pq.read_table(world.plan)["filename"].to_pylist()


@pytest.mark.parametrize("cuts", [[(0, 2)], [(0, 0), (1, 1), (2, 2)], [(1, 2), (0, 0)]])
@pytest.mark.parametrize("window", [1, 2000, 1 << 30])
def test_shards_are_the_same_bytes_however_batches_and_windows_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[tuple[int, int]], window: int
) -> None:
    undisturbed = World(tmp_path / "one")
    undisturbed.write()
    monkeypatch.setattr(tfrecords, "WINDOW", window)
    other = World(tmp_path / "two")
    for first, last in cuts:
        other.write(first, last)
    assert other.shards() == undisturbed.shards()


def test_the_order_of_the_archive_does_not_change_the_shards(tmp_path: Path) -> None:
    worlds = []
    for name, order in (("one", 1), ("two", -1)):
        worlds.append(World(tmp_path / name, dict(list(builders.train_images().items())[::order])))
        worlds[-1].write()
    assert worlds[0].shards() == worlds[1].shards()


def test_the_receipt_has_records_bytes_and_checksum_of_each_shard_and_holds_no_time(world: World) -> None:
    receipt = world.write()
    made = {
        f"{TFRECORD}/{name}": {"records": 3, "bytes": len(data), "crc32c": f"{crc32c(data):08x}"}
        for name, data in world.shards().items()
    }
    assert receipt == {"files": made}
    assert world.write() == receipt


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
    for reencoding, written in ((BOTH, b"JPEG"), (Reencoding(png=False), b"PNG")):
        world.write(reencoding=reencoding)
        assert world.records()[f"{FOX}_2.JPEG"]["image/format"] == [written]


def test_odd_images_are_left_as_they_are_where_that_is_wanted(tmp_path: Path) -> None:
    world = World(tmp_path, odd_images())
    world.write(reencoding=Reencoding(cmyk=False, png=False))
    assert {name: features["image/encoded"][0] for name, features in world.records().items()} == world.images


def test_which_images_are_re_encoded_says_the_configuration() -> None:
    assert Reencoding.of({"cmyk_to_rgb": True, "png_to_jpeg": False, "seed": 1}) == Reencoding(cmyk=True, png=False)


def test_a_record_of_a_large_image_has_the_lengths_that_its_readers_need(tmp_path: Path) -> None:
    content = image(0, (400, 300))
    world = World(tmp_path, {f"{FOX}_1.JPEG": content})
    world.write(0, 0)
    data = (world.folder / "train-00000-of-00001").read_bytes()
    assert struct.unpack("<Q", data[:8])[0] == len(data) - 16


# What does not hold any more


def test_a_changed_byte_of_the_archive_is_an_error_that_names_image_and_offset(world: World) -> None:
    row = world.table.to_pylist()[4]
    archive = world.archive
    data = bytearray(archive.read_bytes())
    data[row["offset"] + 50] ^= 1
    archive.write_bytes(data)
    with pytest.raises(PrepError, match="not those that were verified") as caught:
        for shard in range(SHARDS):
            world.write(shard, shard)
    assert caught.value.place == str(archive)
    assert (caught.value.member, caught.value.offset) == (row["filename"], row["offset"])


def test_a_failed_shard_leaves_nothing(world: World) -> None:
    world.archive.write_bytes(bytes(1 << 20))
    with pytest.raises(PrepError):
        world.write()
    assert world.shards() == {}


def test_an_archive_that_is_cut_off_is_an_error(world: World) -> None:
    archive = world.archive
    archive.write_bytes(archive.read_bytes()[:3000])
    with pytest.raises(PrepError, match="short"):
        world.write()
    assert world.shards() == {}


def test_an_archive_that_is_gone_is_an_error_that_names_it(world: World) -> None:
    world.archive.unlink()
    with pytest.raises(PrepError) as caught:
        world.write()
    assert caught.value.place == str(world.archive)


def test_an_image_that_does_not_decode_is_an_error_that_names_it(tmp_path: Path) -> None:
    broken = bytearray(image(1, (200, 100), "RGB", "PNG"))
    broken[200:260] = bytes(60)
    world = World(tmp_path, {f"{MACHINE}_1.JPEG": bytes(broken)})
    with pytest.raises(PrepError, match="does not decode") as caught:
        world.write(0, 0)
    assert caught.value.member == f"{MACHINE}_1.JPEG"
    assert world.shards() == {}
