"""TFDS and Grain read the ArrayRecord shards, record by record, in any order."""

from __future__ import annotations

from typing import Any

import grain.python as grain
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from readers.reading import SIDES, Image, Reading
from readers.snippets import run


def expect_record(image: Image, record: bytes) -> None:
    """A record is an Example of this image, by TensorFlow's own parser."""
    features = tf.train.Example.FromString(record).features.feature
    assert image.is_content(features["image/encoded"].bytes_list.value[0]), image.filename
    assert features["image/class/label"].int64_list.value[:] == [image.index]
    assert features["image/class/synset"].bytes_list.value[:] == [image.wnid.encode()]
    sides = [features[f"image/object/bbox/{side}"].float_list.value for side in SIDES]
    assert np.array_equal(np.array(sides, np.float32).T, image.boxes)


def name_of(record: bytes) -> str:
    return tf.train.Example.FromString(record).features.feature["image/filename"].bytes_list.value[0].decode()


def test_grain_s_source_has_every_image_by_number(reading: Reading) -> None:
    records = run("Grain", reading.split)["records"]
    found = [records[number] for number in range(len(records))]
    for image, record in zip(reading.found([name_of(record) for record in found]), found, strict=True):
        expect_record(image, record)


def test_the_readmes_loader_with_workers_gives_every_image_once_in_random_order(reading: Reading) -> None:
    names = run("Grain", reading.split)
    found = [name_of(record) for record in names["loader"]]
    reading.found(found)
    assert found != [name_of(names["records"][number]) for number in range(len(found))]


def test_grain_goes_on_where_it_was(reading: Reading) -> None:
    loader = run("Grain", reading.split)["loader"]
    iterator = iter(loader)
    first = [name_of(next(iterator)) for _ in range(len(reading.images) // 2)]
    state = iterator.get_state()
    rest = [name_of(record) for record in iterator]
    again = iter(loader)
    again.set_state(state)
    assert [name_of(record) for record in again] == rest
    reading.found([*first, *rest])


@pytest.mark.parametrize("processes", [2, 3])
def test_grain_shares_out_the_images_none_twice(reading: Reading, processes: int) -> None:
    records = run("Grain", reading.split)["records"]
    found = []
    for index in range(processes):
        options = grain.ShardOptions(shard_index=index, shard_count=processes)
        sampler = grain.IndexSampler(len(records), shard_options=options, shuffle=True, num_epochs=1, seed=1)
        found += [name_of(record) for record in grain.DataLoader(data_source=records, sampler=sampler)]
    # Grain gives all processes the same number of records: what is left of a division goes to none.
    assert len(found) == len(set(found)) == len(reading.images) // processes * processes
    assert reading.images.keys() >= set(found)


def test_tfds_gives_every_image_by_number_with_label_and_boxes(reading: Reading) -> None:
    source: Any = run("TFDS, ArrayRecord", reading.split)["source"]
    found = [source[number]["image"] for number in range(len(source))]
    images = reading.found([example["filename"].decode() for example in found])
    for image, example in zip(images, found, strict=True):
        assert image.looks_like(example["encoded"]), image.filename
        assert (example["class"]["label"], example["class"]["synset"]) == (image.index, image.wnid.encode())
        boxes = np.stack([example["object"]["bbox"][side] for side in SIDES], axis=1)
        assert np.array_equal(boxes, image.boxes)


def test_tfds_knows_the_names_of_the_labels(reading: Reading) -> None:
    label = tfds.builder_from_directory("results/arrayrecord").info.features["image"]["class"]["label"]
    assert [label.int2str(index) for index in reading.classes["class_index"]] == list(reading.classes["wnid"])


def test_tfds_source_goes_into_grain(reading: Reading) -> None:
    source = run("TFDS, ArrayRecord", reading.split)["source"]
    sampler = grain.IndexSampler(len(source), shard_options=grain.NoSharding(), shuffle=False, num_epochs=1, seed=1)
    loader = grain.DataLoader(data_source=source, sampler=sampler, worker_count=0)
    reading.found([example["image"]["filename"].decode() for example in loader])
