"""The synthetic ILSVRC2012 as a declaration: the real one's, less its addresses and checksums, with other sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from imagenet_prep.datasets.dataset import Archive, Dataset, Layout
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012

VERSION = 1
"""Of what is made up from given settings; raised, the archives are made up again."""

# Bytes of its archives: of an image and of a pixel of the largest square, of a member and of the tar of a class besides
# that, and of each of the other archives for each image.
_IMAGE = 1600
_PIXEL = 0.06
_MEMBER = 768
_CLASS_TAR = 6000
_OTHER = 100
# The shares of the validation images that have multi-label annotations, and that are in ImageNet-M.
_JUDGED = 0.4
_HARD = 0.06


def synthetic(settings: Mapping[str, int]) -> Dataset:
    """The data set that is made up with these settings, the `synthetic` section of a configuration."""
    return _synthetic(tuple(sorted(settings.items())))


@cache
def _synthetic(settings: tuple[tuple[str, int], ...]) -> Dataset:
    of = dict(settings)
    # By name, since each is configured by a key of its own.
    images = {
        "train": of["classes"] * of["train_images_per_class"],
        "validation": of["classes"] * of["val_images_per_class"],
        "test": of["test_images"],
        "train_t3": of["train_t3_classes"] * of["train_t3_images_per_class"],
    }
    classes = {"train": of["classes"], "validation": of["classes"], "test": 0, "train_t3": of["train_t3_classes"]}
    splits = {
        name: replace(split, images=images[name], classes=classes[name]) for name, split in ILSVRC2012.splits.items()
    }
    judged = images[ILSVRC2012.multilabel.split]
    image = _MEMBER + _IMAGE + _PIXEL * of["max_side"] ** 2

    def about(archive: Archive) -> int:
        split = ILSVRC2012.of_archive.get(archive.name)
        if split is None:
            return _OTHER * sum(images.values())
        class_tars = classes[split.name] if archive.layout is Layout.CLASS_TARS else 0
        return round(images[split.name] * image) + _CLASS_TAR * class_tars

    return replace(
        ILSVRC2012,
        title="A synthetic ILSVRC2012",
        is_made_up=True,
        splits=splits,
        archives={
            name: Archive(name, archive.file, about=about(archive), layout=archive.layout)
            for name, archive in ILSVRC2012.archives.items()
        },
        multilabel=replace(ILSVRC2012.multilabel, images=round(_JUDGED * judged), hard=round(_HARD * judged)),
    )
