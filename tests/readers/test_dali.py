"""NVIDIA DALI reads the shards by our indexes, here with the CPU alone."""

from __future__ import annotations

from collections.abc import Callable
from glob import glob

import numpy as np
import pytest
from nvidia.dali import fn, pipeline_def, tfrecord

from readers.reading import SIDES, Reading
from readers.snippets import run

TEXTS = ("image/filename", "image/class/synset", "image/class/text", "image/encoded")
BOXES = tuple(f"image/object/bbox/{side}" for side in SIDES)


@pipeline_def(batch_size=32, num_threads=2, device_id=None)
def everything(split: str, shard_id: int = 0, num_shards: int = 1) -> tuple:
    """All that tells an image, the image itself not decoded: the features of TEXTS, the label, those of BOXES."""
    inputs = fn.readers.tfrecord(
        path=sorted(glob(f"results/tfrecord/{split}-*")),
        index_path=sorted(glob(f"results/tfrecord_index/{split}-*")),
        features={
            **{name: tfrecord.FixedLenFeature((), tfrecord.string, "") for name in TEXTS},
            "image/class/label": tfrecord.FixedLenFeature([1], tfrecord.int64, -1),
            **{name: tfrecord.VarLenFeature(tfrecord.float32, 0.0) for name in BOXES},
        },
        shard_id=shard_id,
        num_shards=num_shards,
        name="reader",
    )
    return tuple(inputs[name] for name in (*TEXTS, "image/class/label", *BOXES))


def epoch(pipeline: Callable, size: int | None = None) -> list[list[np.ndarray]]:
    """The outputs for each record of one epoch, or of the first records of it."""
    pipeline.build()
    size = pipeline.epoch_size("reader") if size is None else size
    found = []
    while len(found) < size:
        outputs = pipeline.run()
        found += [[np.array(output.at(position)) for output in outputs] for position in range(len(outputs[0]))]
    return found[:size]


def word(output: np.ndarray) -> str:
    return output.tobytes().decode()


def names(reading: Reading) -> list[str]:
    """The file names in the order of the records."""
    return [word(name) for name, *_ in epoch(everything(reading.split))]


def test_the_readmes_code_decodes_every_image_with_its_label(reading: Reading) -> None:
    images = reading.found(names(reading))
    for image, (pixels, label) in zip(images, epoch(run("DALI", reading.split)["pipeline"]), strict=True):
        assert image.looks_like(pixels), image.filename
        assert label.tolist() == [image.index + 1]


def test_every_record_has_its_image_class_text_and_boxes(reading: Reading) -> None:
    records = epoch(everything(reading.split))
    images = reading.found([word(name) for name, *_ in records])
    for image, (_, wnid, text, encoded, label, *sides) in zip(images, records, strict=True):
        assert (word(wnid), word(text)) == (image.wnid, image.words)
        assert label.tolist() == [image.index + 1]
        assert image.is_content(encoded.tobytes()), image.filename
        assert np.array_equal(np.stack(sides, axis=1), image.boxes)


@pytest.mark.parametrize("num_shards", [2, 5])
def test_its_shards_share_out_every_image_once(reading: Reading, num_shards: int) -> None:
    whole = names(reading)
    # DALI's documentation: shard k has the records from floor(k * size / shards) on.
    bounds = [shard * len(whole) // num_shards for shard in range(num_shards + 1)]
    found = []
    for shard in range(num_shards):
        size = bounds[shard + 1] - bounds[shard]
        found += [word(name) for name, *_ in epoch(everything(reading.split, shard, num_shards), size)]
    reading.found(found)
    assert found == whole


def test_the_readmes_pipeline_can_be_sharded(reading: Reading) -> None:
    images = reading.found(names(reading))
    half = run("DALI", reading.split)["images_and_labels"](shard_id=1, num_shards=2)
    second = images[len(images) // 2 :]
    for image, (pixels, label) in zip(second, epoch(half, len(second)), strict=True):
        assert image.looks_like(pixels), image.filename
        assert label.tolist() == [image.index + 1]
