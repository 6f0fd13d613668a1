"""ReaL labels ("Are we done with ImageNet?"): for every validation image the list of indices that are right for it."""

from __future__ import annotations

import json
from pathlib import Path

from imagenet_prep.errors import PrepError, reading

_LIMIT = 4 << 20  # ten times the real one; in memory, JSON can take thirty times its size
_REMEDY = "Get real.json again from google-research/reassessed-imagenet"


def read_real_labels(path: Path, images: int, classes: int) -> list[list[int]]:
    """The right indices of every validation image, in image order; an empty list where the annotators found none.

    Args:
        path: the JSON file: a list of lists.
        images: how many validation images there are.
        classes: how many classes the whole set has.

    Raises:
        PrepError: JSON of another shape, or of another number of images.
    """
    if path.stat().st_size > _LIMIT:
        raise PrepError(path, f"it has more than {_LIMIT} bytes", _REMEDY)
    try:
        with reading(path):
            labels = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PrepError(path, f"this is no whole JSON ({error})", _REMEDY) from error
    if not isinstance(labels, list) or len(labels) != images:
        found = f"a list of {len(labels)}" if isinstance(labels, list) else "no list"
        raise PrepError(path, f"it holds {found}, where a list of {images} (an entry an image) is expected", _REMEDY)
    for number, entry in enumerate(labels, 1):
        if not isinstance(entry, list) or not all(
            isinstance(label, int) and not isinstance(label, bool) and 0 <= label < classes for label in entry
        ):
            raise PrepError(path, f"entry {number} is no list of indices from 0 to {classes - 1}", _REMEDY)
    return labels
