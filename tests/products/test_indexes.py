"""Index files: a line a record, as the readers of shards need them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tfrecord import reader
from tfrecord.tools.tfrecord2idx import create_index

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tfrecord
from imagenet_prep.products.indexes import write_indexes
from imagenet_prep.products.shardset import TFRECORD_INDEX

RECORDS = [b"first", b"", b"x" * 3000]


def shard(path: Path, records: list[bytes]) -> Path:
    content = b""
    for record in records:
        header, footer = tfrecord.frame([record])
        content += header + record + footer
    path.write_bytes(content)
    return path


def test_an_index_is_what_the_tfrecord_package_writes(tmp_path: Path) -> None:
    path = shard(tmp_path / "train-00000-of-00001", RECORDS)
    write_indexes([path], tmp_path)
    create_index(str(path), str(tmp_path / "judge"))
    assert (tmp_path / TFRECORD_INDEX / path.name).read_text() == (tmp_path / "judge").read_text()


def test_a_reader_finds_the_records_by_the_index(tmp_path: Path) -> None:
    path = shard(tmp_path / "shard", RECORDS)
    write_indexes([path], tmp_path)
    found = [
        bytes(record)
        for part in range(3)
        for record in reader.tfrecord_iterator(str(path), str(tmp_path / TFRECORD_INDEX / "shard"), (part, 3))
    ]
    assert found == RECORDS


def test_every_shard_has_an_index_of_its_name(tmp_path: Path) -> None:
    shards = [shard(tmp_path / f"train-0000{i}-of-00002", RECORDS[:i]) for i in range(2)]
    write_indexes(shards, tmp_path)
    assert sorted(path.name for path in (tmp_path / TFRECORD_INDEX).iterdir()) == [path.name for path in shards]


def test_the_receipt_says_of_each_index_its_records_and_its_content(tmp_path: Path) -> None:
    path = shard(tmp_path / "train-00000-of-00001", RECORDS)
    index = tmp_path / TFRECORD_INDEX / path.name
    assert write_indexes([path], tmp_path) == {
        "files": {
            f"{TFRECORD_INDEX}/{path.name}": {
                "bytes": index.stat().st_size,
                "sha256": hashlib.sha256(index.read_bytes()).hexdigest(),
                "records": 3,
            }
        }
    }


@pytest.mark.parametrize("cut", [1, 16, 20, 3000])
def test_a_shard_that_is_cut_off_is_an_error_and_has_no_index(tmp_path: Path, cut: int) -> None:
    path = shard(tmp_path / "shard", RECORDS)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(PrepError, match="cut off") as caught:
        write_indexes([path], tmp_path)
    assert caught.value.place == str(path)
    assert not list((tmp_path / TFRECORD_INDEX).glob("*"))


def test_a_damaged_length_is_an_error(tmp_path: Path) -> None:
    path = shard(tmp_path / "shard", RECORDS)
    data = bytearray(path.read_bytes())
    data[21] ^= 1
    path.write_bytes(data)
    with pytest.raises(PrepError, match="length does not hold") as caught:
        write_indexes([path], tmp_path)
    assert caught.value.offset == 21
