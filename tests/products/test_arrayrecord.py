"""ArrayRecord shards: the Examples of the TFRecords with labels from 0, as the library for the format reads them."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest
from array_record.python import array_record_module
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import FOX
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example
from imagenet_prep.products.registry import SHARDED_PRODUCTS, SPLIT_PRODUCTS
from products.jobs import Jobs

SHARDS = 2


class World(Jobs):
    """A training archive, its images, and the plans of both kinds of records."""

    def __init__(self, folder: Path) -> None:
        self.content = builders.train_images()
        shards = {"train_shards": SHARDS}
        super().__init__(folder, {"use": ["train", "devkit"], "arrayrecord": shards, "tfrecord": shards})
        self.images("train", self.content)
        self.plan("arrayrecord", "train")

    def shards(self) -> list[Path]:
        return sorted((self.output_dir / "arrayrecord").glob("*array_record*"))


def records(path: Path) -> list[bytes]:
    with closing(array_record_module.ArrayRecordReader(str(path))) as reader:
        return [bytes(it) for it in reader.read_all()]


def test_a_record_is_the_example_of_the_tfrecords_with_labels_from_0(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.make("arrayrecord", "train", 0, SHARDS - 1)
    found = [example.decode(record) for path in world.shards() for record in records(path)]
    assert {it["image/filename"][0].decode(): it["image/encoded"][0] for it in found} == world.content  # type: ignore[union-attr]
    (fox,) = (it for it in found if it["image/filename"] == [f"{FOX}_9.JPEG".encode()])
    assert (fox["image/class/label"], fox["image/class/synset"]) == ([1], [FOX.encode()])


def test_each_record_is_a_group_of_its_own_which_grain_asks_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.make("arrayrecord", "train", 0, SHARDS - 1)
    for path in world.shards():
        with closing(array_record_module.ArrayRecordReader(str(path))) as reader:
            assert "group_size:1," in reader.writer_options_string()


def test_the_shards_are_called_as_tfds_calls_them_and_described_for_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.make("arrayrecord", "train", 0, SHARDS - 1)
    names = [f"imagenet2012-train.array_record-0000{number}-of-00002" for number in range(SHARDS)]
    assert [path.name for path in world.shards()] == names
    SPLIT_PRODUCTS["arrayrecord"].describe(world.given("arrayrecord_description"))
    info = json.loads((world.output_dir / "arrayrecord" / "dataset_info.json").read_text())
    assert info["fileFormat"] == "array_record"
    (split,) = info["splits"]
    assert split["filepathTemplate"] == "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    assert split["shardLengths"] == ["4", "5"]
    labels = (world.output_dir / "arrayrecord" / "image-class-label.labels.txt").read_text().split()
    assert labels == sorted(builders.WNIDS[:3])


def test_the_same_images_give_the_same_bytes(tmp_path: Path) -> None:
    worlds = [World(tmp_path / name) for name in ("one", "two")]
    for world in worlds:
        world.make("arrayrecord", "train", 0, SHARDS - 1)
    one, two = ([path.read_bytes() for path in world.shards()] for world in worlds)
    assert one == two


@settings(deadline=None, max_examples=30)
@given(contents=st.lists(st.binary(max_size=3000), max_size=6))
def test_the_library_reads_whatever_image_is_written(
    contents: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("shard") / "shard"
    row = {"filename": "a.JPEG", "label": 3, "wnid": FOX, "text": "fox", "width": 1, "height": 2, "format": "JPEG"}
    row |= {side: [] for side in ("xmin", "ymin", "xmax", "ymax")}
    with open(path, "wb", buffering=0) as file:
        content = SHARDED_PRODUCTS["arrayrecord"].write(file, ((row, it) for it in contents))
    assert [example.decode(record)["image/encoded"] for record in records(path)] == [[it] for it in contents]
    assert content["bytes"] == path.stat().st_size


def test_a_full_disk_is_said_as_the_system_says_it() -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space left on device"):
        SHARDED_PRODUCTS["arrayrecord"].write(file, iter([]))


def test_where_the_library_is_missing_one_line_says_how_to_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    monkeypatch.setitem(sys.modules, "array_record.python", None)
    with pytest.raises(PrepError, match="pip install array-record") as caught:
        world.make("arrayrecord", "train", 0, 0)
    assert builders.is_one_line(caught.value)
    assert not list((world.output_dir / "arrayrecord").glob("*"))
