"""What stands in a cell of a file of predictions: an image, a class, or a list of classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_WNID = re.compile(r"n\d{8}")
_IMAGE = re.compile(r"ILSVRC2012_val_\d{8}", re.IGNORECASE)
_LABELLED = re.compile(r"(ILSVRC2012_val_\d{8})_n\d{8}", re.IGNORECASE)  # as Hugging Face names them
_ENDING = re.compile(r"\.(jpe?g|png|webp|xml|cls|jpg\.npy)$", re.IGNORECASE)
_WORDS = re.compile(r"[^\s,;|]+")
# As PyTorch and NumPy show numbers: `tensor([3, 1], device='cuda:0')`, `np.int64(3)`.
_SHOWN = re.compile(r"(?:np\.)?(?:tensor|array|u?int\d+|float\d+)\(([^()]*?)(?:,\s*(?:device|dtype)=[^()]*)?\)")
_SHOWN_OF_A_CELL = 60  # letters
_OF_A_BOX = 5  # words: Kaggle's lists have a WNID and the sides of its box


class BadCell(ValueError):
    """A cell that is no prediction; its text completes the sentence "the prediction of … is".

    Attributes:
        row: its place in the block, from 0; -1 where the block as a whole is wrong.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


def plain(name: str) -> str:
    """A column's name without case, spaces and signs, so that `Top-1` is `top1`."""
    return re.sub(r"[\W_]+", "", name.casefold())


def image_key(name: str) -> str:
    """The part of an image's name that does not depend on folders, ending and case.

    `val/n01751748/ILSVRC2012_val_00000001.JPEG` and `ilsvrc2012_val_00000001` are the same image.
    """
    if name.startswith(("b'", 'b"')) and name[-1:] == name[1]:  # bytes, written as Python shows them
        name = name[2:-1]
    base = _ENDING.sub("", re.split(r"[/\\]", name.strip())[-1])
    labelled = _LABELLED.fullmatch(base)
    return (labelled[1] if labelled else base).casefold()


def looks_like_image(text: str) -> bool:
    """Whether it has the name of a validation image in it."""
    return _IMAGE.search(text) is not None


def is_wnid(text: str) -> bool:
    """Whether it has the form of a WNID."""
    return _WNID.fullmatch(text) is not None


def is_value(cell: Any) -> bool:
    """Whether a cell holds a class, a number, or a list of these."""
    if not isinstance(cell, str):
        return isinstance(cell, int | float | list | tuple | np.ndarray | np.number) and not isinstance(cell, bool)
    words = words_of(cell)
    return bool(words) and all(is_wnid(it) or _number(it) is not None for it in words)


def is_list(cell: Any) -> bool:
    """Whether a cell holds a list, if only as a text."""
    if isinstance(cell, str):
        return _SHOWN.sub(r"\1", cell).strip()[:1] in ("[", "(") or (len(words_of(cell)) > 1 and is_value(cell))
    return isinstance(cell, list | tuple | np.ndarray)


def words_of(text: str) -> list[str]:
    """The words of a text that is a list, such as `[1, 2]`, `(1 2)`, `1;2` or `['n01440764']`; else the text alone.

    Of a list of WNIDs with boxes these are the WNIDs.
    """
    text = _SHOWN.sub(r"\1", text).strip()
    inner = text[1:-1] if text[:1] + text[-1:] in ("[]", "()") else text
    words = [it.strip("'\"") for it in _WORDS.findall(inner)]
    have_boxes = len(words) >= _OF_A_BOX and all(is_wnid(it) == (at % _OF_A_BOX == 0) for at, it in enumerate(words))
    return words[::_OF_A_BOX] if have_boxes else words


def to_numbers(rows: Sequence[Sequence[Any]], indices: Mapping[str, int]) -> tuple[Numbers, bool]:
    """Cells as numbers, float64 of shape (n, k), and whether they were WNIDs.

    Args:
        rows: n rows of k cells each, or of one cell that holds a list of k.
        indices: the class index of each WNID.

    Raises:
        BadCell: one of them is no prediction.
    """
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "iuf":
        return np.asarray(rows if rows.ndim == 2 else rows[:, None], np.float64), False
    if len(rows[0]) > 1 and not any(isinstance(it, bool | list | np.ndarray) for it in rows[0]):
        try:  # the quick way: most files have nothing but numbers
            return np.array([list(map(float, row)) for row in rows], np.float64), False
        except (TypeError, ValueError, OverflowError):
            pass
    found, wnids = [], 0
    lists = len(rows[0]) == 1 and any(is_list(row[0]) for row in rows)
    for place, row in enumerate(rows):
        cells = list(row)
        if lists and not is_list(cells[0]):
            raise BadCell(place, "no list")
        if lists:
            cells = words_of(cells[0]) if isinstance(cells[0], str) else list(cells[0])
        try:
            found.append([_to_number(it, indices) for it in cells])
        except ValueError as error:
            raise BadCell(place, str(error)) from error
        wnids += sum(isinstance(it, str) and is_wnid(it.strip()) for it in cells)
    lengths = sorted({len(it) for it in found})
    if len(lengths) > 1 or not lengths[0]:
        raise BadCell(-1, f"its lists have {lengths} entries")
    if wnids not in (0, len(found) * lengths[0]):
        raise BadCell(-1, "it has WNIDs and numbers")
    return np.array(found, np.float64), wnids > 0


_UNSET = math.nan


def _to_number(cell: Any, indices: Mapping[str, int]) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return _UNSET
    if isinstance(cell, list | tuple | np.ndarray):
        raise ValueError("a list of lists")
    if isinstance(cell, str):
        if is_wnid(cell.strip()):
            if cell.strip() not in indices:
                raise ValueError(f"{cell.strip()}, which is no class")
            return float(indices[cell.strip()])
        number = _number(_SHOWN.sub(r"\1", cell))
        if number is None:
            raise ValueError(_no_number(cell))
        return number
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.integer | np.floating):
        raise ValueError(_no_number(cell))
    try:
        return float(cell)
    except OverflowError:
        return math.inf


def _no_number(cell: Any) -> str:
    shown = repr(cell)
    return f"{shown if len(shown) <= _SHOWN_OF_A_CELL else shown[:_SHOWN_OF_A_CELL] + '…'}, which is no number"


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
