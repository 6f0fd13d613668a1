"""The made-up development kit: `meta.mat` as MATLAB wrote the real one, the ground truth, and a readme."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from imagenet_prep.synthetic.model import Synset
from imagenet_prep.synthetic.world import World

FOLDER = "ILSVRC2012_devkit_t12"

_FIELDS = (
    "ILSVRC2012_ID",
    "WNID",
    "words",
    "gloss",
    "num_children",
    "children",
    "wordnet_height",
    "num_train_images",
)
_HEADER_TEXT = 116  # bytes of text at the start of a MAT-file (MAT-File Format, level 5)
_README = """This is a made-up development kit with the structure of the one of ILSVRC2012.

It belongs to synthetic images, and says nothing about the real ones.

data/meta.mat                                    synsets
data/ILSVRC2012_validation_ground_truth.txt      ILSVRC2012 IDs of the validation images, one a line
"""


def members(world: World) -> Iterator[tuple[str, bytes | None]]:
    """Names and contents of the archive's members, None for a folder."""
    yield FOLDER, None
    yield f"{FOLDER}/data", None
    yield f"{FOLDER}/data/meta.mat", meta_mat(world.synsets)
    lines = (f"{label.ilsvrc2012_id}\n" for label in world.validation_labels)
    yield f"{FOLDER}/data/ILSVRC2012_validation_ground_truth.txt", "".join(lines).encode("ascii")
    yield f"{FOLDER}/readme.txt", _README.encode("ascii")


def meta_mat(synsets: tuple[Synset, ...]) -> bytes:
    """A MAT-file with `synsets`, an (n, 1) struct array.

    Numbers are arrays of shape (1, 1), `children` of (1, k), each in the smallest unsigned type, as MATLAB stored the
    real ones.
    """
    import scipy.io  # heavy, and nobody else needs it

    rows = np.empty((len(synsets), 1), dtype=[(name, object) for name in _FIELDS])
    for row, synset in zip(rows[:, 0], synsets, strict=True):
        row["ILSVRC2012_ID"] = _numbers(synset.ilsvrc2012_id)
        row["WNID"] = synset.wnid
        row["words"] = synset.words
        row["gloss"] = synset.gloss
        row["num_children"] = _numbers(len(synset.children))
        row["children"] = _numbers(*synset.children)
        row["wordnet_height"] = _numbers(synset.wordnet_height)
        row["num_train_images"] = _numbers(synset.num_train_images)
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"synsets": rows}, do_compression=True)
    # savemat writes the time into the header.
    text = b"MATLAB 5.0 MAT-file, made-up synsets with the structure of ILSVRC2012"
    return text.ljust(_HEADER_TEXT) + buffer.getvalue()[_HEADER_TEXT:]


def _numbers(*values: int) -> np.ndarray[Any, Any]:
    return np.array([values], dtype=np.min_scalar_type(max(values, default=0)))
