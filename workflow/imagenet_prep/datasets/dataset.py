"""What a data set is: archives, and the splits whose images they hold. Each data set is a declaration of these.

Imports are light, since the Snakefile needs the declarations at every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

BOX_SIDES = ("xmin", "ymin", "xmax", "ymax")
"""The columns of a box: left, upper, right and lower edge."""


class Layout(Enum):
    """How images lie in an archive."""

    CLASS_TARS = "a tar of one tar a class, called <wnid>.tar"
    FLAT = "a tar of images"


class Labels(Enum):
    """Where the class of an image comes from."""

    LAYOUT = "the part of the archive that it lies in"
    GROUND_TRUTH = "a list in the devkit, a line an image by file name"
    NONE = "nowhere: it has none"


@dataclass(frozen=True)
class Archive:
    """An archive as it is published.

    Attributes:
        name: in the configuration.
        file: its file name, as it is published.
        url: where it can be downloaded; None where it cannot.
        md5: of the file; None where it is not published, as all below.
        sha256: likewise.
        unpacked_sha256: of the file less its compression.
        bytes: its exact size.
        about: a round size in bytes, where no exact one is published.
        layout: how images lie in it; None where it holds none.
    """

    name: str
    file: str
    url: str | None = None
    md5: str | None = None
    sha256: str | None = None
    unpacked_sha256: str | None = None
    bytes: int | None = None
    about: int = 0
    layout: Layout | None = None

    @property
    def size(self) -> int:
        """Its size in bytes, a round one where no other is published."""
        return self.bytes or self.about

    def settings(self) -> dict[str, Any]:
        """Its keys in the configuration, with what is published as values."""
        keys = ("file", "url", "md5", "sha256", "unpacked_sha256", "bytes")
        return {key: getattr(self, key) for key in keys}


@dataclass(frozen=True)
class Split:
    """A part of the data set.

    Attributes:
        name: in tables, names of shards and targets.
        archive: the one that holds its images.
        filename: a regular expression that each of its file names matches; `{wnid}` stands for that of its class.
        labels: where the class of an image comes from.
        boxes: the archive of its bounding boxes, if there is one.
        folder: the name of its class folders' tree, below `imagefolder/`.
        in_shards: whether products in shards are made of it.
        images: how many it has, as published.
        classes: how many classes its images are of.
    """

    name: str
    archive: str
    filename: str
    labels: Labels
    boxes: str | None
    folder: str
    in_shards: bool
    images: int
    classes: int


@dataclass(frozen=True)
class Annotations:
    """Several labels an image, as people gave them, of the images of one split.

    Attributes:
        archive: the name of the archive that holds them.
        split: the name of the split whose images have them.
        images: how many images have them.
        hard: how many of these images models still get wrong (ImageNet-M).
    """

    archive: str
    split: str
    images: int
    hard: int


@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
        name: in the configuration and in an output folder.
        title: for people.
        origin: where its images come from, for people.
        archives: by name, in the order in which they are listed.
        splits: likewise.
        devkit: the archive that says which classes there are.
        multilabel: annotations with several labels an image.
        real_labels: the archive of other labels of the same images.
        use: the archives that are in use where the configuration does not say.
        is_made_up: whether the workflow makes the archives itself.
    """

    name: str
    title: str
    origin: str
    archives: Mapping[str, Archive]
    splits: Mapping[str, Split]
    devkit: str
    multilabel: Annotations
    real_labels: str
    use: tuple[str, ...]
    is_made_up: bool = False

    @cached_property
    def of_archive(self) -> dict[str, Split]:
        """The split whose images an archive holds, by its name."""
        return {split.archive: split for split in self.splits.values()}

    def splits_in_use(self, config: Mapping[str, Any]) -> list[Split]:
        """The splits whose archives the configuration has in use."""
        return [split for split in self.splits.values() if split.archive in config["use"]]

    def boxes_in_use(self, config: Mapping[str, Any]) -> list[Split]:
        """The splits whose archives of boxes the configuration has in use."""
        return [split for split in self.splits.values() if split.boxes in config["use"]]

    @property
    def classes(self) -> int:
        """How many classes it has."""
        return max(split.classes for split in self.splits.values())

    def class_count(self, config: Mapping[str, Any], split: str) -> int:
        """How many classes of a split the configuration has in use; with a choice of classes, at the most so many."""
        chosen = len(config["classes"]) if config["classes"] else self.classes
        return min(self.splits[split].classes, chosen)


def own_splits(splits: Iterable[Split]) -> list[Split]:
    """Those of the splits that a class's images are counted and shown from.

    A split that no shards are made of, such as that of the fine-grained task, counts only where there is no other.
    """
    labelled = [split for split in splits if split.labels is not Labels.NONE]
    return [split for split in labelled if split.in_shards] or labelled
