"""The file names of images: the official ones, and those that others have given them, with the class in them.

Hugging Face writes the class behind the name, as in `n01440764_10026_n01440764.JPEG`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from imagenet_prep.datasets.dataset import Dataset, Split

CLASS_FOLDER = re.compile(r"n\d{8}|\d{3}", re.ASCII)
"""The name of a folder of a class: its WNID, or its index."""

CLASS_TAR = re.compile(r"(n\d{8})\.tar", re.ASCII)
"""The name of the tar of a class."""

MAPPING, SOLUTION, GIVEN_LABELS = "LOC_synset_mapping.txt", "LOC_val_solution.csv", "val_labels.csv"
"""Lists of classes and of validation labels: two of Kaggle's, and the one that packing makes of images' names."""

MIXED = "CLS-LOC/"
"""Part of the paths in archives that hold all of ILSVRC2012, as Kaggle's do."""

VAL_OF_KAGGLE = "ILSVRC/Data/CLS-LOC/val"
"""Where the validation images are, below the folder of the list of their boxes."""

_OF_A_SPLIT = re.compile(r"(?:.*/)?(?:train|val|validation|test)/.*", re.ASCII | re.IGNORECASE | re.DOTALL)
_SPLIT = re.compile(r"train|val|test", re.IGNORECASE)
_WITH_CLASS = re.compile(r"(?P<stem>\w+_\d+)_(?P<wnid>n\d{8})(?P<suffix>\.JPEG)", re.ASCII)
_WNID = re.compile(r"n\d{8}", re.ASCII)


@cache
def _pattern(filename: str) -> re.Pattern[str]:
    return re.compile(filename.format(wnid=_WNID.pattern), re.ASCII)


def official_name(name: str, split: Split) -> tuple[str, str | None] | None:
    """The official name of an image of a split, and its WNID, None where the given name does not hold it.

    None where the name is not that of an image of the split. The name of a train image begins with its WNID.
    """
    matched = _WITH_CLASS.fullmatch(name)
    wnid = matched["wnid"] if matched else None
    official = f"{matched['stem']}{matched['suffix']}" if matched else name
    if not _pattern(split.filename).fullmatch(official):
        return None
    return official, wnid or (official[:9] if "{wnid}" in split.filename else None)


def split_of(name: str, dataset: Dataset, place: str = "") -> Split | None:
    """The split that has images of such names; of several, the one that `place`, a file or folder, is named after."""
    found = [split for split in dataset.splits.values() if official_name(name, split)]
    named = [split for split in found if split.name in place]
    return max(named, key=lambda split: len(split.name)) if named else next(iter(found), None)


@cache
def part_of(split: Split) -> re.Pattern[str]:
    """The names of files that hold a split in parts: as Hugging Face has them, or a compressed tar a class."""
    hub = rf"{split.folder}_images(?:_\d+)?\.(?:tar|tar\.gz|tgz)|{split.name}-\d{{5}}-of-\d{{5}}[\w-]*\.parquet"
    classes = r"|n\d{8}\.(?:tar\.gz|tgz)" if split.name == "train" else ""
    return re.compile(hub + classes, re.ASCII)


def has_folders_of_splits(file: str, members: Iterable[str]) -> bool:
    """Whether an archive of this name, which tells no split, has members of these paths in folders of splits."""
    return not _SPLIT.search(file) and any(map(_OF_A_SPLIT.fullmatch, members))


def is_of_another(path: str, split: Split, others: Iterable[Split]) -> bool:
    """Whether a file in a folder that is named after a split is an image of another one than this."""
    base = path.rpartition("/")[2]
    is_in_folder = _OF_A_SPLIT.fullmatch(path) is not None
    return is_in_folder and not official_name(base, split) and any(official_name(base, it) for it in others)


def is_of(archive: str, dataset: Dataset) -> Callable[[str], bool]:
    """A function that tells whether a member, by its path, is of this archive, where a file holds those of several."""
    split = dataset.of_archive.get(archive)

    def is_image(name: str) -> bool:
        assert split is not None
        base = name.rpartition("/")[2]
        return official_name(base, split) is not None or (
            "{wnid}" in split.filename and CLASS_TAR.fullmatch(base) is not None
        )

    def is_box(name: str) -> bool:
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        described = split_of(f"{stem}.JPEG", dataset) if suffix.lower() == "xml" else None
        return described is not None and described.boxes == archive

    def is_label(name: str) -> bool:
        return name.rpartition("/")[2] in (MAPPING, SOLUTION)

    return is_label if archive == dataset.devkit else is_image if split else is_box
