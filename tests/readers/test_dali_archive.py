"""NVIDIA DALI reads images out of the archives as they are by our indexes, here with the CPU alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from nvidia.dali import fn, pipeline_def

from project import Project
from readers.reading import Image, Reading
from readers.snippets import run
from readers.test_dali import epoch, word

WAYS = pytest.mark.parametrize("no_mmap", [False, True], ids=["mmap", "file"])


def code(reading: Reading) -> dict:
    return run("DALI, archive", reading.split)


@pipeline_def(batch_size=32, num_threads=2, device_id=None)
def contents(names: dict, split: str, no_mmap: bool, shuffle: bool, shard_id: int = 0, num_shards: int = 1) -> tuple:
    """The bytes of each image, and the header."""
    jpeg, header = fn.readers.webdataset(
        paths="results/archives/" + names["images"].archive[0],
        index_paths=f"results/archive_index/dali/{split}.idx",
        ext=["jpg", "hdr"],
        missing_component_behavior="error",
        dont_use_mmap=no_mmap,
        random_shuffle=shuffle,
        shard_id=shard_id,
        num_shards=num_shards,
        name="reader",
    )
    return jpeg, header, fn.get_property(jpeg, key="source_info")


def found(reading: Reading, samples: list[list[np.ndarray]]) -> list[Image]:
    """The images that these samples are: each with its bytes, and with the beginning of its name as the header."""
    images = [reading.images[word(source).rpartition(":")[2]] for _, _, source in samples]
    for image, (content, header, _) in zip(images, samples, strict=True):
        assert content.tobytes() == image.content
        assert image.filename.startswith(word(header).rstrip("\0"))
        assert len(header) in (9, 100)
    return images


@WAYS
@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
def test_every_image_has_its_bytes_and_its_name(reading: Reading, no_mmap: bool, shuffle: bool) -> None:
    pipeline: Callable = contents(code(reading), reading.split, no_mmap, shuffle)
    images = found(reading, epoch(pipeline))
    reading.found([image.filename for image in images])


def test_the_pages_code_decodes_every_image_with_its_label(reading: Reading) -> None:
    names = code(reading)
    images = found(reading, epoch(contents(names, reading.split, False, False)))
    for image, (pixels, label) in zip(images, epoch(names["pipeline"]), strict=True):
        assert image.looks_like(pixels), image.filename
        assert label.tolist() == image.index


@WAYS
def test_its_shards_share_out_every_image_once(reading: Reading, no_mmap: bool) -> None:
    names, size = code(reading), len(reading.images)
    bounds = [shard * size // 3 for shard in range(4)]
    images = []
    for shard in range(3):
        pipeline = contents(names, reading.split, no_mmap, False, shard, 3)
        images += found(reading, epoch(pipeline, bounds[shard + 1] - bounds[shard]))
    reading.found([image.filename for image in images])


def test_training_images_come_in_an_order_without_classes(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    reading = Reading(demo, "train")
    images = found(reading, epoch(contents(code(reading), reading.split, False, False)))
    runs = sum(one.wnid != other.wnid for one, other in itertools.pairwise(images))
    assert runs > 5 * len({image.wnid for image in images})
