"""The 1000 classes of ILSVRC2012, for programs that have no development kit.

`ilsvrc2012_classes.tsv` holds what the kit's `meta.mat` says of them, a line a class by index. Imports are light, since
programs that train read this, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).resolve().with_suffix(".tsv")


@dataclass(frozen=True, slots=True)
class Class:
    """A class.

    Attributes:
        class_index: its rank among the sorted WNIDs, from 0, as PyTorch, Keras and TFDS number.
        wnid: its WordNet ID.
        ilsvrc2012_id: its number in the devkit, 1 ... 1000.
        num_train_images: images of it in the train archive.
        words: its names, with commas in between. They are no key: two classes are called "crane".
    """

    class_index: int
    wnid: str
    ilsvrc2012_id: int
    num_train_images: int
    words: str


@cache
def classes() -> tuple[Class, ...]:
    """All classes, by index."""
    lines = _TABLE.read_text(encoding="ascii").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple(
        Class(index, wnid, int(ilsvrc2012_id), int(num_train_images), words)
        for index, (wnid, ilsvrc2012_id, num_train_images, words) in enumerate(rows)
    )
