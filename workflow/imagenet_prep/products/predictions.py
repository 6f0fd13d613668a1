"""Predictions of a model for the validation images: a row an image, its best classes first, as 0-based indices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagenet_prep.errors import PrepError
from imagenet_prep.products.prediction_cells import BadCell, image_key, to_numbers
from imagenet_prep.products.prediction_columns import SHAPE, find_columns
from imagenet_prep.products.prediction_files import Block, open_table
from imagenet_prep.products.prediction_ranks import Ranks
from imagenet_prep.progress import grouped

ANOTHER_CLASS = -1
"""The index of a class that is not in use, where a prediction names it by its WNID."""

_NAMES = "Write the names of labels/val_labels.csv; folders before them, and the ending, do not matter"


@dataclass(frozen=True)
class ValidationSet:
    """What predictions can be about.

    Attributes:
        filenames: the validation images in use, in image order.
        every: all validation images, in image order, those of other classes among them.
        wnids: the WNIDs that the indices stand for, by index.
        in_use: the indices of the classes in use, ascending.
        others: the WNIDs of all other classes.
    """

    filenames: Sequence[str]
    every: Sequence[str]
    wnids: Sequence[str]
    in_use: Sequence[int]
    others: Sequence[str] = ()

    @property
    def indices(self) -> Mapping[str, int]:
        """The index of each WNID."""
        return {**dict.fromkeys(self.others, ANOTHER_CLASS), **{it: index for index, it in enumerate(self.wnids)}}


@dataclass(frozen=True)
class Predictions:
    """What a file predicts.

    Attributes:
        images: the places of the predicted images in `ValidationSet.filenames`, ascending, int64 of shape (n,).
        indices: for each, the best classes first, int64 of shape (n, k) with k from 1 to 5. They are whole numbers;
            whether they are indices, `scores` finds out, which knows what is right.
        are_indices: whether they are indices for sure, as where the file has WNIDs or scores.
        read_as: how the file was understood, in words.
        warnings: what could not be read from it, in sentences.
    """

    images: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    are_indices: bool
    read_as: str
    warnings: list[str]


def read_predictions(path: Path, validation: ValidationSet, *, for_part: str | None = None) -> Predictions:
    """The predictions of the images in use, whatever the form of the file, where it can only mean one thing.

    Args:
        path: a file with one of the endings `prediction_paths.SUFFIXES`.
        validation: the images and classes.
        for_part: None if a part of the images is enough; else what to do where that is wanted, as the end of a
            sentence that begins with "Predict every image, or".

    Raises:
        PrepError: it can mean nothing, or more than one thing; images are missing, unknown or there twice; or values
            are no whole numbers and no scores.
    """
    table = open_table(path)
    first = next(table.blocks, None)
    if first is None or not len(first):
        raise PrepError(path, "it has no prediction", SHAPE)
    indices = validation.indices
    columns = find_columns(path, table, first, indices)
    names: list[str] = []
    whole = [indices[it] for it in sorted(indices)]
    ranks = Ranks(len(validation.wnids), validation.in_use, whole)
    are_wnids: set[bool] = set()
    count = 0
    for block in itertools.chain([first], table.blocks):
        own = [] if columns.images is None else [str(row[columns.images]) for row in block]
        try:
            numbers, are = to_numbers(_values(block, columns.predictions), indices)
            ranks.add(numbers)
        except BadCell as error:
            if error.row < 0:
                raise PrepError(path, str(error), "Give every image as many, all of one kind") from error
            which = own[error.row] if own else f"row {count + error.row + 1}"
            raise PrepError(path, f"the prediction of {which} is {error}", SHAPE) from error
        are_wnids.add(are)
        names += own
        count += len(block)
    if len(are_wnids) > 1:
        raise PrepError(path, "it has WNIDs and numbers", "Give every image as many, all of one kind")
    rows, order, left_out = _rows(path, names, count, validation, for_part, ranks)
    (wnids,) = are_wnids
    are_scores = ranks.are_scores(wnids)
    found, how = ranks.ranked() if are_scores else ranks.indices()
    how = how.replace("indices", "WNIDs", 1) if wnids else how
    others = f"; {grouped(left_out)} images of classes that are not in use left out" if left_out else ""
    read_as = f"{table.form}; {columns.words}; {how}{others}"
    return Predictions(order, found[rows], wnids or are_scores, read_as, ranks.warnings)


def _values(block: Block, places: Sequence[int] | None) -> Any:
    if isinstance(block, np.ndarray):
        if block.dtype.kind == "S":
            block = np.char.decode(block, "utf-8", "replace")
        return block if block.dtype.kind != "U" else (block if block.ndim == 2 else block[:, None]).tolist()
    return block if places is None else [[row[it] for it in places] for row in block]


def _rows(
    path: Path, names: list[str], count: int, validation: ValidationSet, for_part: str | None, ranks: Ranks
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """The rows that count, the places of their images, ascending, and how many are of classes that are not in use."""
    place_of = {image_key(it): place for place, it in enumerate(validation.filenames)}
    every = [image_key(it) for it in validation.every]
    if names:
        keys = [image_key(it) for it in names]
    else:
        if count == len(every) + 1 or count == len(validation.filenames) + 1:
            count -= ranks.drop_header()
        if count not in (len(every), len(validation.filenames)):
            problem = f"it has {grouped(count)} rows without names of images, where there are {grouped(len(place_of))}"
            remedy = "Write the name of each image, or a row for each in the order of labels/val_labels.csv"
            raise PrepError(path, problem, remedy)
        keys = every if count == len(every) else list(place_of)
    _expect_once(path, names, keys)
    known = set(every)
    unknown = [it for it, key in zip(names, keys, strict=False) if key not in known]
    if unknown:
        raise PrepError(path, f"{_some(unknown)}: no validation image", _NAMES)
    places = np.array([place_of.get(key, -1) for key in keys], np.int64)
    there = set(places.tolist())
    missing = [it for place, it in enumerate(validation.filenames) if place not in there]
    if missing and for_part is not None:
        problem = f"{_some(missing)}: without a prediction"
        raise PrepError(path, problem, f"Predict every image of labels/val_labels.csv, or {for_part}")
    rows = np.flatnonzero(places >= 0)
    if not len(rows) and len(validation.filenames):
        raise PrepError(path, "it predicts no validation image in use", _NAMES)
    rows = rows[np.argsort(places[rows], kind="stable")]
    return rows, places[rows], len(places) - len(rows)


def _expect_once(path: Path, names: Sequence[str], keys: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        if first.setdefault(key, place) != place:
            other = names[first[key]]
            also = f" (also as {other})" if other != names[place] else ""
            more = len(keys) - len(set(keys)) - 1
            shown = f"{names[place]}{also}" + (f" and {more} more" if more else "")
            raise PrepError(path, f"{shown}: predicted more than once", "Keep one row an image")


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
