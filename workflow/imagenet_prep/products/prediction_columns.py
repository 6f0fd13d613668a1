"""Which columns of a file of predictions name the images, and which hold the predictions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagenet_prep.errors import PrepError
from imagenet_prep.products.prediction_cells import is_list, is_value, is_wnid, looks_like_image, plain
from imagenet_prep.products.prediction_files import Block, Table

SHAPE = (
    "Give it a column filename and columns top1 … top5 (or top1 alone, or one column of lists) of 0-based indices or "
    "WNIDs; docs/scores.md has all forms that are read"
)

# What columns are called, less case and signs; of several that are there, the first in this order counts.
_IMAGES = (
    "filename",
    "filenames",
    "file",
    "path",
    "paths",
    "filepath",
    "image",
    "images",
    "imagename",
    "imageid",
    "img",
    "imgpath",
    "imagepath",
    "name",
    "names",
    "key",
    "fname",
    "id",
)
_PREDICTIONS = ("prediction", "predictions", "predictionstring", "pred", "preds", "predicted", "ypred", "top1", "topk")
_INDEX = ("index", "indices")  # of the class, as timm calls them, or of the row
_SCORES = ("score", "scores", "prob", "probs", "probability", "confidence", "conf", "logit", "logits")
_NUMBERS_OF_ROWS = ("", "unnamed0", "level0", "index")  # as pandas calls them
_UNUSED = ("id", "key", "name", "names")  # of an image, unless they are numbers
_NUMBERED = re.compile(r"(\D*)(\d+)")


@dataclass(frozen=True)
class Columns:
    """Where images and predictions stand in a row.

    Attributes:
        images: the place of the images' names; None where the rows are in the order of the images.
        predictions: the places of the predictions, in order; None for all.
        words: how the columns were understood.
    """

    images: int | None
    predictions: list[int] | None
    words: str


def find_columns(path: Path, table: Table, first: Block, indices: Mapping[str, int]) -> Columns:
    """Find them.

    Args:
        path: of the file, for messages.
        table: the file.
        first: its first block of rows.
        indices: the class index of each WNID.

    Raises:
        PrepError: it can mean more than one thing, or nothing.
    """
    if isinstance(first, np.ndarray):
        return Columns(None, None, "rows in the order of labels/val_labels.csv")
    header = table.header
    if twice := sorted({it for it in header or () if header and header.count(it) > 1}):
        raise PrepError(path, f"it has more than one column {twice[0]}", SHAPE)
    row = first[0]
    places = list(range(len(row)))
    for place, name in enumerate(header or ()):
        if len(places) > 1 and plain(name) in _NUMBERS_OF_ROWS and _are_row_numbers([it[place] for it in first]):
            places.remove(place)
    images = _images(path, header, first, places)
    others = [it for it in places if it != images]
    if not others:
        raise PrepError(path, "it has names of images alone", SHAPE)
    shown = repr(header[images]) if header and images is not None and header[images] else "the first column"
    named = f"images by {shown}" if images is not None else "rows in the order of labels/val_labels.csv"
    if header is None:
        values = [it for it in others if is_value(row[it]) or row[it] in ("", None)]
        if values != others:
            raise PrepError(path, f"{row[(set(others) - set(values)).pop()]!r} in its first line is no number", SHAPE)
        return Columns(images, values, named)
    found = _predictions(header, first, others, indices)
    if not found:
        problem = f"it has the columns {', '.join(map(repr, header[:8]))}{' …' if len(header) > 8 else ''}"
        if len(others) == 1:
            problem = f"it has neither columns top1 … top5 nor one column of predictions, but {header[others[0]]!r}"
        else:
            problem += ": which of them has the predictions can mean more than one thing"
        raise PrepError(path, problem, SHAPE)
    last = f" … {header[found[-1]]!r}" if len(found) > 1 else ""
    return Columns(images, found, f"{named}, predictions in {header[found[0]]!r}{last}")


def _are_row_numbers(cells: Sequence[Any]) -> bool:
    return [str(it) for it in cells] == [str(it) for it in range(len(cells))]


def _images(path: Path, header: Sequence[str] | None, first: Sequence[Sequence[Any]], places: list[int]) -> int | None:
    """The column whose cells name images; None where none does."""
    texts = [it for it in places if isinstance(first[0][it], str) and not is_value(first[0][it]) and first[0][it]]
    called = [plain(it) for it in header or ()]
    for name in _IMAGES:
        if name in called and called.index(name) in places:
            place = called.index(name)
            if place in texts:
                return place
            if name in _UNUSED:
                _expect_order(path, header, [it[place] for it in first], place)
            else:
                cell = first[0][place]
                problem = f"its column {header and header[place]!r} has {cell!r}, where an image is to be named"
                raise PrepError(path, problem, "Write the names of the images, as labels/val_labels.csv has them")
    images = [it for it in texts if looks_like_image(first[0][it])] or texts
    if len(images) > 1 and header:
        problem = f"it has no column filename, and the columns {', '.join(repr(header[it]) for it in images)}"
        raise PrepError(path, f"{problem}, which could each name images", SHAPE)
    return images[0] if len(images) == 1 else None


def _expect_order(path: Path, header: Sequence[str] | None, cells: Sequence[Any], place: int) -> None:
    """Raise where numbers of images do not go up by one: the rows would each be taken for another image's."""
    numbers = [str(it) for it in cells]
    if numbers[0].isdecimal() and numbers != [str(int(numbers[0]) + it) for it in range(len(numbers))]:
        problem = f"its column {header and header[place]!r} has numbers that are not in order: {', '.join(numbers[:5])}"
        raise PrepError(path, problem, "Write the names of the images, as labels/val_labels.csv has them")


def _predictions(
    header: Sequence[str], first: Sequence[Sequence[Any]], places: Sequence[int], indices: Mapping[str, int]
) -> list[int]:
    """The columns that hold the predictions, best first, or scores by class; empty if that is not sure."""
    called = {place: plain(header[place]) for place in places}
    if len(places) > 1 and all(is_wnid(header[it]) and header[it] in indices for it in places):
        return sorted(places, key=lambda it: indices[header[it]])
    by_stem: dict[str, dict[int, int]] = {}
    for place, name in called.items():
        numbered = _NUMBERED.fullmatch(name)
        if numbered:
            by_stem.setdefault(numbered[1], {})[int(numbered[2])] = place
    top = by_stem.get("top", {})
    if 1 in top:
        kept = [top[it] for it in range(1, 1 + len(top)) if it in top]
        return kept[:1] if is_list(first[0][top[1]]) else kept
    are_all = sum(map(len, by_stem.values())) == len(places)
    classes = [stem for stem in by_stem if stem not in _SCORES] or list(by_stem)
    meant = [stem for stem in classes if stem in (*_PREDICTIONS, *_INDEX)] or classes
    if are_all and len(meant) == 1 and meant != ["top"]:
        numbers = by_stem[meant[0]]
        if len(numbers) > 1 and min(numbers) in (0, 1) and max(numbers) - min(numbers) + 1 == len(numbers):
            return [numbers[it] for it in sorted(numbers)]
    lists = [it for it in places if is_list(first[0][it])]
    if len(lists) == 1:
        return lists
    for names in (_PREDICTIONS, _INDEX):
        found = [it for it in places if called[it] in names]
        if len(found) == 1:
            return found
    is_sure = len(places) == 1 and not (top or (called[places[0]] in _SCORES and "logit" not in called[places[0]]))
    return list(places) if is_sure else []
