"""DINOv2's files, read by a reader that is written from the description of its `ImageNet` class."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from project import Project
from readers.reading import Reading
from readers.torchvision_import import torchvision


class ImageNet:
    """What DINOv2 does with a root and an extra: entries by memory map, images by path."""

    def __init__(self, split: str, root: str, extra: str) -> None:
        self.split, self.root = split, Path(root)
        self.entries = np.load(Path(extra, f"entries-{split}.npy"), mmap_mode="r")
        if split != "TEST":
            self.ids = np.load(Path(extra, f"class-ids-{split}.npy"), mmap_mode="r")
            self.names = np.load(Path(extra, f"class-names-{split}.npy"), mmap_mode="r")

    def __len__(self) -> int:
        return len(self.entries)

    def path(self, index: int) -> Path:
        number, wnid = int(self.entries["actual_index"][index]), str(self.entries["class_id"][index])
        if self.split == "TRAIN":
            return self.root / "train" / wnid / f"{wnid}_{number}.JPEG"
        folder = self.split.lower()
        return self.root / folder / wnid / f"ILSVRC2012_{folder}_{number:08d}.JPEG"

    def target(self, index: int) -> int:
        return int(self.entries["class_index"][index])


@pytest.mark.parametrize(("split", "name"), [("train", "TRAIN"), ("validation", "VAL")])
def test_every_image_is_found_with_its_class(
    split: str, name: str, demo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.folder)
    reading, dataset = Reading(demo, split), ImageNet(name, "results/dinov2", "results/dinov2")
    images = reading.found([dataset.path(index).name for index in range(len(dataset))])
    for index, image in enumerate(images):
        assert dataset.path(index).read_bytes() == image.content
        assert dataset.target(index) == image.index
        assert (dataset.ids[image.index], dataset.names[image.index]) == (image.wnid, image.words)
        assert dataset.entries["class_name"][index] == image.words


def test_the_order_is_that_of_torchvision(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    for name, folder in (("TRAIN", "train"), ("VAL", "val")):
        dataset = ImageNet(name, "results/dinov2", "results/dinov2")
        samples = torchvision.datasets.ImageFolder(f"results/dinov2/{folder}").samples
        assert samples == [(str(dataset.path(index)), dataset.target(index)) for index in range(len(dataset))]


def test_the_test_set_has_its_images_and_no_classes(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    dataset = ImageNet("TEST", "results/dinov2", "results/dinov2")
    paths = {dataset.path(index) for index in range(len(dataset))}
    assert paths == set(Path("results/dinov2/test").iterdir())
    assert {dataset.target(index) for index in range(len(dataset))} == {2**32 - 1}


def test_the_labels_are_a_table_of_two_columns(demo: Project) -> None:
    with open(demo.results / "dinov2" / "labels.txt", newline="") as file:
        rows = list(csv.reader(file))
    classes = Reading(demo, "train").classes
    assert rows == classes[["wnid", "words"]].to_numpy().tolist()
