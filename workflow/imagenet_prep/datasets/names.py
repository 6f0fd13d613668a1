"""The file names of images: the official ones, and those that others have given them, with the class in them.

Hugging Face writes the class behind the name, as in `n01440764_10026_n01440764.JPEG`.
"""

from __future__ import annotations

import re
from functools import cache

from imagenet_prep.datasets.dataset import Dataset, Split

CLASS_FOLDER = re.compile(r"n\d{8}|\d{3}", re.ASCII)
"""The name of a folder of a class: its WNID, or its index."""

CLASS_TAR = re.compile(r"(n\d{8})\.tar", re.ASCII)
"""The name of the tar of a class."""

_WITH_CLASS = re.compile(r"(?P<stem>\w+_\d+)_(?P<wnid>n\d{8})(?P<suffix>\.JPEG)", re.ASCII)
_WNID = re.compile(r"n\d{8}", re.ASCII)


@cache
def _pattern(split: str, filename: str) -> re.Pattern[str]:
    return re.compile(filename.format(wnid=_WNID.pattern), re.ASCII)


def official_name(name: str, split: Split) -> tuple[str, str | None] | None:
    """The official name of an image of a split, and the WNID that the given name tells of it.

    None where this is no image of the split. The WNID of a train image is the one that its name begins with.
    """
    matched = _WITH_CLASS.fullmatch(name)
    wnid = matched["wnid"] if matched else None
    official = f"{matched['stem']}{matched['suffix']}" if matched else name
    if not _pattern(split.name, split.filename).fullmatch(official):
        return None
    return official, wnid or (official[:9] if "{wnid}" in split.filename else None)


def split_of(name: str, dataset: Dataset) -> Split | None:
    """The first split that has images of such names."""
    return next((split for split in dataset.splits.values() if official_name(name, split)), None)
