"""torchvision, Keras and Hugging Face's datasets read the class folders."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import datasets
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image as Pillow
from PIL import ImageOps
from torch.utils.data import DataLoader

from project import Project
from readers.reading import Image, Reading
from readers.snippets import run, run_in_shell
from readers.torchvision_import import torchvision

ARCHIVE_META = torchvision.datasets.imagenet.ARCHIVE_META


def ranks(reading: Reading) -> dict[str, int]:
    """The place of every WNID in use among them, which readers of folders take for its number."""
    return {wnid: rank for rank, wnid in enumerate(reading.classes.sort_values("class_index")["wnid"])}


def found(reading: Reading, paths: list[str]) -> list[Image]:
    """The images at these paths, which must hold their bytes."""
    images = reading.found([Path(path).name for path in paths])
    for image, path in zip(images, paths, strict=True):
        assert Path(path).parent.name == image.wnid
        assert Path(path).read_bytes() == image.content, path
    return images


def test_torchvisions_image_folder_finds_every_image_in_its_class(reading: Reading) -> None:
    dataset = run("ImageFolder", reading.split)["dataset"]
    rank = ranks(reading)
    assert dataset.class_to_idx == rank
    images = found(reading, [path for path, _ in dataset.samples])
    assert dataset.targets == [rank[image.wnid] for image in images]


def test_torchvisions_image_folder_in_a_loader_with_workers_gives_every_picture(reading: Reading) -> None:
    dataset = run("ImageFolder", reading.split)["dataset"]
    images = reading.found([Path(path).name for path, _ in dataset.samples])
    loader = DataLoader(dataset, batch_size=16, num_workers=2, collate_fn=list)
    loaded = (one for batch in loader for one in batch)
    for image, (picture, target) in zip(images, loaded, strict=True):
        assert (*picture.size, picture.mode) == (image.width, image.height, "RGB")
        assert np.array_equal(picture, Pillow.open(io.BytesIO(image.content)).convert("RGB")), image.filename
        assert target == ranks(reading)[image.wnid]


def test_torchvisions_numbers_are_the_indices_of_the_whole_set(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    reading = Reading(demo, "train")
    dataset = run("ImageFolder")["dataset"]
    for path, target in dataset.samples:
        assert target == reading.images[Path(path).name].index


def test_torchvision_numbers_numbered_folders_the_same(numbered: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(numbered.folder)
    images = Reading(numbered, "validation").images
    dataset = run("ImageFolder", "validation")["dataset"]
    assert dataset.classes == [f"{index:03d}" for index in range(20)]
    assert len(dataset) == len(images)
    for path, target in dataset.samples:
        assert target == images[Path(path).name].index


def test_torchvision_finds_images_by_class(reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").symlink_to(reading.project.results)
    monkeypatch.chdir(tmp_path)
    receipt = json.loads(Path("results/verified/devkit.json").read_text())
    if receipt["expected"] is None:  # a devkit that was made up, of which torchvision cannot know the checksum
        monkeypatch.setitem(ARCHIVE_META, "devkit", (ARCHIVE_META["devkit"][0], receipt["md5"]))
    run_in_shell("root of ImageNet")
    dataset = run("ImageNet", reading.split)["dataset"]
    rank = ranks(reading)
    assert dataset.wnid_to_idx == rank
    images = found(reading, [path for path, _ in dataset.samples])
    for image, target in zip(images, dataset.targets, strict=True):
        assert target == rank[image.wnid]
        assert ", ".join(dataset.classes[target]) == image.words


def test_keras_decodes_every_image_with_its_class(reading: Reading) -> None:
    dataset = run("Keras", reading.split)["dataset"]
    rank = ranks(reading)
    assert dataset.class_names == list(rank)
    # Its pictures come shuffled and without names, so they are known by what they look like when resized.
    expected: Counter[tuple[int, bytes]] = Counter()
    for image in found(reading, dataset.file_paths):
        decoded = tf.io.decode_image(image.content, channels=3, expand_animations=False)
        assert image.looks_like(decoded.numpy()), image.filename
        expected[rank[image.wnid], digest(keras.ops.image.resize(tf.cast(decoded, tf.float32), (224, 224)))] += 1
    given = Counter(
        (int(label), digest(picture))
        for pictures, labels in dataset
        for picture, label in zip(pictures, labels, strict=True)
    )
    assert given == expected


def digest(picture: tf.Tensor) -> bytes:
    return hashlib.sha256(np.rint(picture).astype(np.uint8).tobytes()).digest()


def test_hugging_face_decodes_every_image(reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    dataset = run("Hugging Face", reading.split)["dataset"]
    names = dataset.features["label"].names
    assert names == list(ranks(reading))
    paths = [row["path"] for row in dataset.cast_column("image", datasets.Image(decode=False))["image"]]
    for image, row in zip(found(reading, paths), dataset, strict=True):
        assert names[row["label"]] == image.wnid
        stored = Pillow.open(io.BytesIO(image.content))
        assert np.array_equal(row["image"], ImageOps.exif_transpose(stored)), image.filename
