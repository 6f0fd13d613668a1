"""TensorFlow Datasets reads the shards where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from project import Project
from readers.reading import SIDES, Reading
from readers.snippets import run


def names(builder: Any, splits: Iterable[Any]) -> list[str]:
    """The file names of the images of some parts of a split, read without decoding the images."""
    decoders = {"image": {"encoded": tfds.decode.SkipDecoding()}}
    return [
        example["image"]["filename"].decode()
        for split in splits
        for example in tfds.as_numpy(builder.as_dataset(split=split, decoders=decoders))
    ]


def test_every_image_is_decoded_with_its_class_text_and_boxes(reading: Reading) -> None:
    dataset = run("TFDS", reading.split)["dataset"]
    examples = {example["image"]["filename"].decode(): example["image"] for example in tfds.as_numpy(dataset)}
    for image in reading.found(list(examples)):
        example = examples[image.filename]
        assert image.looks_like(example["encoded"]), image.filename
        assert (example["width"], example["height"]) == (image.width, image.height)
        assert example["class"]["label"] == image.index + 1
        assert (example["class"]["synset"].decode(), example["class"]["text"].decode()) == (image.wnid, image.words)
        boxes = example["object"]["bbox"]
        assert np.array_equal(np.stack([boxes[side] for side in SIDES], axis=1), image.boxes)
        assert boxes["label"].tolist() == [image.index + 1] * len(image.boxes)


def test_the_splits_have_the_lengths_of_the_table(reading: Reading) -> None:
    builder = run("TFDS", reading.split)["builder"]
    assert builder.info.splits[reading.split].num_examples == len(reading.images)
    assert sum(builder.info.splits[reading.split].shard_lengths) == len(reading.images)


def test_the_name_of_a_label_is_the_wnid(reading: Reading) -> None:
    builder = run("TFDS", reading.split)["builder"]
    feature = builder.info.features["image"]["class"]["label"]
    assert feature.names[0] == "background"
    for image in reading.images.values():
        assert feature.int2str(image.index + 1) == image.wnid


def test_labels_from_0_are_named_by_the_wnids_alone(numbered: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(numbered.folder)
    images = Reading(numbered, "validation").images
    names = run("TFDS", "validation")
    feature = names["builder"].info.features["image"]["class"]["label"]
    assert feature.num_classes == 20
    for example in tfds.as_numpy(names["dataset"]):
        image = images[example["image"]["filename"].decode()]
        label = example["image"]["class"]["label"]
        assert (label, feature.int2str(label)) == (image.index, image.wnid)


def test_even_splits_share_out_every_image_once(reading: Reading) -> None:
    builder = run("TFDS", reading.split)["builder"]
    parts = tfds.even_splits(reading.split, n=3)
    assert len({len(names(builder, [part])) for part in parts}) <= 2
    reading.found(names(builder, parts))


@pytest.mark.parametrize("processes", [2, 7])
def test_the_processes_of_jax_share_out_every_image_once(reading: Reading, processes: int) -> None:
    builder = run("TFDS", reading.split)["builder"]
    # The two numbers that jax would give in each process.
    parts = [
        tfds.split_for_jax_process(reading.split, process_index=process, process_count=processes)
        for process in range(processes)
    ]
    reading.found(names(builder, parts))


def test_hosts_that_read_whole_shards_share_out_every_image_once(reading: Reading) -> None:
    builder = run("TFDS", reading.split)["builder"]
    found = []
    for host in range(2):
        context = tf.distribute.InputContext(num_input_pipelines=2, input_pipeline_id=host)
        config = tfds.ReadConfig(input_context=context)
        for example in tfds.as_numpy(builder.as_dataset(split=reading.split, read_config=config)):
            found.append(example["image"]["filename"].decode())
    reading.found(found)
