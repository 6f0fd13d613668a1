"""Classes and validation labels without the devkit: those that come with the images.

Kaggle's are `LOC_synset_mapping.txt` (`wnid words`, a line a class) and `LOC_val_solution.csv`
(`ImageId,PredictionString`, whose prediction begins with the WNID). Of images whose folders or names tell the class,
packing writes the list `val_labels.csv` (`filename,class`, the class as WNID or as index).

What only the devkit says is null: glosses, the tree of synsets, the numbers of training images. IDs are made up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagenet_prep.datasets.classes import validation_filename
from imagenet_prep.datasets.devkit import SYNSETS, Devkit
from imagenet_prep.datasets.ilsvrc2012_classes import classes as published_classes
from imagenet_prep.datasets.names import GIVEN_LABELS, MAPPING, SOLUTION
from imagenet_prep.errors import PrepError

_REMEDY = "Get the devkit, or the labels again from where the images came from"


def read_given(path: Path, members: Mapping[str, bytes]) -> Devkit:
    """The classes and validation labels that came with images, in the form of a devkit.

    The classes are those of the list where there is one; else the 1000 published ones, if the labels are of these, and
    last those that the labels name.

    Args:
        path: the archive of the lists, for messages.
        members: the lists by their names.

    Raises:
        PrepError: a list is damaged, or names what is no class or no validation image.
    """
    published = {it.wnid: it.words for it in published_classes()}
    words = _mapping(path, members[MAPPING]) if MAPPING in members else dict(published)
    given = _labels(path, members, sorted(words))
    if MAPPING not in members and not words.keys() >= set(given.values()):
        words = {wnid: published.get(wnid, wnid) for wnid in given.values()}
    wnids = sorted(words)
    rows: list[dict[str, Any]] = [
        {
            "ilsvrc2012_id": number,
            "wnid": wnid,
            "words": words[wnid],
            "gloss": None,
            "num_children": 0,
            "children": [],
            "wordnet_height": None,
            "num_train_images": None,
        }
        for number, wnid in enumerate(wnids, 1)
    ]
    ids = {wnid: number for number, wnid in enumerate(wnids, 1)}
    truth = []
    for number in range(1, len(given) + 1):
        name = validation_filename(number)
        if name not in given:
            problem = f"of {len(given)} validation images this one has no label"
            raise PrepError(path, problem, _REMEDY, member=name)
        if given[name] not in ids:
            raise PrepError(path, f"its label {given[name]} is none of the {len(ids)} classes", _REMEDY, member=name)
        truth.append(ids[given[name]])
    return Devkit(pa.Table.from_pylist(rows, schema=SYNSETS), np.array(truth, np.int32))


def _mapping(path: Path, content: bytes) -> dict[str, str]:
    words = {}
    for line in _text(path, MAPPING, content).splitlines():
        wnid, _, text = line.strip().partition(" ")
        if wnid:
            words[wnid] = text or wnid
    return words


def _labels(path: Path, members: Mapping[str, bytes], wnids: list[str]) -> dict[str, str]:
    """The WNID of each validation image by its file name."""
    found: dict[str, str] = {}
    member = SOLUTION if SOLUTION in members else GIVEN_LABELS
    for row in csv.reader(io.StringIO(_text(path, member, members.get(member, b"")))):
        if len(row) < 2 or row[0] == "ImageId":
            continue
        name = row[0] if row[0].endswith(".JPEG") else f"{row[0]}.JPEG"
        wnid = row[1].split(" ", 1)[0]
        if wnid.isdecimal() and int(wnid) < len(wnids):
            wnid = wnids[int(wnid)]
        if found.setdefault(name, wnid) != wnid:
            raise PrepError(path, f"it has two labels, {found[name]} and {wnid}", _REMEDY, member=name)
    return found


def _text(path: Path, member: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PrepError(path, "it is no text", _REMEDY, member=member) from error
