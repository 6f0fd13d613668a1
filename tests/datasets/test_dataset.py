"""The declarations: what they name is there, and what is asked of them follows from the configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest

from configuration.official import DEMO
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Labels, Layout
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.datasets.synthetic import synthetic

MADE_UP = synthetic(DEMO["synthetic"])
ALL = {"ilsvrc2012": ILSVRC2012, "synthetic": MADE_UP}


@pytest.fixture(params=ALL.values(), ids=ALL.keys())
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return request.param  # type: ignore[no-any-return]


def test_everything_is_known_by_its_own_name(dataset: Dataset) -> None:
    assert [archive.name for archive in dataset.archives.values()] == list(dataset.archives)
    assert [split.name for split in dataset.splits.values()] == list(dataset.splits)
    assert len({archive.file for archive in dataset.archives.values()}) == len(dataset.archives)
    assert len({split.folder for split in dataset.splits.values()}) == len(dataset.splits)


def test_every_archive_that_is_named_is_declared(dataset: Dataset) -> None:
    named = {dataset.devkit, dataset.multilabel.archive, dataset.real_labels, *dataset.use}
    named |= {name for split in dataset.splits.values() for name in (split.archive, split.boxes) if name}
    assert named == dataset.archives.keys()
    assert dataset.multilabel.split in dataset.splits


def test_archives_of_images_and_no_others_have_a_layout(dataset: Dataset) -> None:
    assert {name for name, archive in dataset.archives.items() if archive.layout} == dataset.of_archive.keys()


def test_labels_come_from_the_layout_where_there_are_class_tars(dataset: Dataset) -> None:
    for name, split in dataset.of_archive.items():
        nested = dataset.archives[name].layout is Layout.CLASS_TARS
        assert (split.labels is Labels.LAYOUT) is nested
        assert ("{wnid}" in split.filename) is nested
        re.compile(split.filename.format(wnid="n01440764"))


def test_every_archive_has_a_size(dataset: Dataset) -> None:
    assert all(archive.size > 0 for archive in dataset.archives.values())


def test_what_is_made_up_has_the_archives_and_the_splits_of_the_real_one() -> None:
    assert MADE_UP.name == ILSVRC2012.name
    assert {name: of.file for name, of in MADE_UP.archives.items()} == {
        name: of.file for name, of in ILSVRC2012.archives.items()
    }
    assert MADE_UP.splits.keys() == ILSVRC2012.splits.keys()


def test_a_configuration_is_about_what_is_made_up_where_it_says_so() -> None:
    assert dataset_of({}) is dataset_of({"synthetic": None}) is ILSVRC2012
    assert dataset_of(DEMO) == MADE_UP


@pytest.mark.parametrize(
    ("classes", "counts"),
    [
        (None, {"train": 1000, "validation": 1000, "test": 0, "train_t3": 120}),
        (["n"] * 7, {"train": 7, "validation": 7, "test": 0, "train_t3": 7}),
        (["n"] * 200, {"train": 200, "validation": 200, "test": 0, "train_t3": 120}),
    ],
)
def test_of_a_choice_of_classes_a_split_has_at_most_its_own(classes: Any, counts: dict[str, int]) -> None:
    config = {"classes": classes}
    assert {split: ILSVRC2012.class_count(config, split) for split in ILSVRC2012.splits} == counts


def test_a_split_is_in_use_with_its_archive_and_its_boxes_with_theirs() -> None:
    config = {"use": ["val", "devkit", "bbox_train"]}
    assert [split.name for split in ILSVRC2012.splits_in_use(config)] == ["validation"]
    assert [split.name for split in ILSVRC2012.boxes_in_use(config)] == ["train"]
