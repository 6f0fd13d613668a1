"""Index files: a line a record, as the readers of shards need them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tfrecord import reader
from tfrecord.tools.tfrecord2idx import create_index

from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tfrecord
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

RECORDS = [b"first", b"", b"x" * 3000]


class World(Jobs):
    """Shards of the training set, each of these records."""

    def __init__(self, folder: Path, *shards: list[bytes]) -> None:
        super().__init__(folder, {"tfrecord": {"train_shards": len(shards)}})
        self.shards = ShardSet(self.output_dir, "tfrecord", "train", len(shards)).paths()
        self.folder = self.output_dir / "tfrecord_index"
        for path, records in zip(self.shards, shards, strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"".join(map(framed, records)))

    def write(self) -> Body:
        return self.make("tfrecord_index", "train", 0, len(self.shards) - 1)


def framed(record: bytes) -> bytes:
    header, footer = tfrecord.frame([record])
    return header + record + footer


def test_an_index_is_what_the_tfrecord_package_writes(tmp_path: Path) -> None:
    world = World(tmp_path, RECORDS)
    world.write()
    create_index(str(world.shards[0]), str(tmp_path / "judge"))
    assert (world.folder / world.shards[0].name).read_text() == (tmp_path / "judge").read_text()


def test_a_reader_finds_the_records_by_the_index(tmp_path: Path) -> None:
    world = World(tmp_path, RECORDS)
    world.write()
    path, index = str(world.shards[0]), str(world.folder / world.shards[0].name)
    found = [bytes(record) for part in range(3) for record in reader.tfrecord_iterator(path, index, (part, 3))]
    assert found == RECORDS


def test_every_shard_has_an_index_of_its_name(tmp_path: Path) -> None:
    world = World(tmp_path, [], RECORDS[:1])
    made = world.write()
    names = [path.name for path in world.shards]
    assert sorted(path.name for path in world.folder.iterdir()) == names
    assert SPLIT_PRODUCTS["tfrecord_index"].units(world.given("tfrecord_index", "train"), "train") == list(
        made["files"]
    )


def test_a_batch_makes_its_own_indexes_alone(tmp_path: Path) -> None:
    world = World(tmp_path, *[RECORDS] * 3)
    assert list(world.make("tfrecord_index", "train", 1, 1)["files"]) == ["tfrecord_index/train-00001-of-00003"]
    assert [path.name for path in world.folder.iterdir()] == ["train-00001-of-00003"]


def test_the_receipt_says_of_each_index_its_records_and_its_content(tmp_path: Path) -> None:
    world = World(tmp_path, RECORDS)
    made = world.write()
    index = world.folder / world.shards[0].name
    assert made == {
        "files": {
            f"tfrecord_index/{index.name}": {
                "bytes": index.stat().st_size,
                "sha256": hashlib.sha256(index.read_bytes()).hexdigest(),
                "records": 3,
            }
        }
    }


@pytest.mark.parametrize("cut", [1, 16, 20, 3000])
def test_a_shard_that_is_cut_off_is_an_error_and_has_no_index(tmp_path: Path, cut: int) -> None:
    world = World(tmp_path, RECORDS)
    path = world.shards[0]
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(PrepError, match="cut off") as caught:
        world.write()
    assert caught.value.place == str(path)
    assert not list(world.folder.glob("*"))


def test_a_damaged_length_is_an_error(tmp_path: Path) -> None:
    world = World(tmp_path, RECORDS)
    data = bytearray(world.shards[0].read_bytes())
    data[21] ^= 1
    world.shards[0].write_bytes(data)
    with pytest.raises(PrepError, match="length does not hold") as caught:
        world.write()
    assert caught.value.offset == 21
