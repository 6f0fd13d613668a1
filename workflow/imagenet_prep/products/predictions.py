"""Predictions of a model for the validation images: a row an image, its best classes first, as 0-based indices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

COLUMNS = ("top1", "top2", "top3", "top4", "top5")
SHAPE = "Give it a column filename and columns top1 … top5 (or top1 alone, or one column of lists) of 0-based indices"


def read_predictions(path: Path, filenames: Sequence[str]) -> npt.NDArray[np.int64]:
    """The predictions of the given images, shape (images, k) with k from 1 to 5, best first, in their order.

    They are whole numbers; whether they are indices, `scores` finds out, which knows what is right.

    Args:
        path: `.csv` or `.parquet` with a column `filename` and columns `top1` … `topk`, or one column of lists.
        filenames: all images that must be there, each exactly once.

    Raises:
        PrepError: another shape, images missing, unknown or there twice, or values that are no whole number.
    """
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise PrepError(path, f"it has more than one column {twice[0]}", SHAPE)
    if "filename" not in table.columns:
        raise PrepError(path, f"it has no column filename, but {', '.join(map(str, table.columns))}", SHAPE)
    _expect_images(path, table["filename"].map(str), filenames)
    indices = _indices(path, table)
    order = pd.Index(table["filename"].map(str)).get_indexer(pd.Index(filenames))
    return indices[order]


def _read_parquet(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise PrepError(path, "the predictions are not there", SHAPE)
    try:
        table: pd.DataFrame = parquet.read(path).to_pandas()
    except PrepError as error:  # which says of our own tables that the next run makes them anew
        remedy = "Let the program that made it write it again, or write it as CSV"
        raise PrepError(path, error.problem, remedy) from error
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise PrepError(path, "the predictions are not there", SHAPE) from None
    except (ValueError, OSError) as error:
        raise PrepError(path, f"it cannot be read as CSV ({' '.join(str(error).split())})", SHAPE) from error


def _expect_images(path: Path, there: pd.Series[str], wanted: Sequence[str]) -> None:
    missing, unknown = set(wanted) - set(there), set(there) - set(wanted)
    double = there[there.duplicated()]
    for names, what, remedy in (
        (sorted(double), "predicted more than once", "Keep one row an image"),
        (sorted(unknown), "no validation image in use", "Use the file names of labels/val_labels.csv"),
        (sorted(missing), "without a prediction", "Predict every image of labels/val_labels.csv"),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise PrepError(path, f"{names[0]}{more}: {what}", remedy)


def _indices(path: Path, table: pd.DataFrame) -> npt.NDArray[np.int64]:
    columns = [name for name in COLUMNS if name in table.columns]
    if columns and columns == list(COLUMNS[: len(columns)]):
        rows: Any = table[columns].to_numpy()
    else:
        rows = _lists(path, table)
    found = []
    for name, row in zip(table["filename"], rows, strict=True):
        try:
            numbers = np.asarray(row, dtype=np.float64)
        except (TypeError, ValueError):
            raise PrepError(path, f"the prediction of {name} is no number", SHAPE) from None
        if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
            raise PrepError(path, f"the prediction of {name} is empty or no whole number", SHAPE)
        found.append(numbers)
    return np.array(found).astype(np.int64)


def _lists(path: Path, table: pd.DataFrame) -> list[Any]:
    """The rows of the one column of lists, all as long, their first five entries; a cell can hold anything."""
    columns = [name for name in table.columns if name != "filename" and table[name].map(_is_list).any()]
    if len(columns) != 1:
        raise PrepError(path, "it has neither columns top1 … top5 nor one column of lists", SHAPE)
    rows = table[columns[0]].tolist()
    for name, row in zip(table["filename"], rows, strict=True):
        if not _is_list(row):
            raise PrepError(path, f"the prediction of {name} is no list", SHAPE)
        if any(map(_is_list, row)):
            raise PrepError(path, f"the prediction of {name} is a list of lists", SHAPE)
    lengths = {len(row) for row in rows}
    if min(lengths) < 1 or len(lengths) > 1:
        raise PrepError(path, f"its lists have {sorted(lengths)} entries", "Give every image as many, 1 to 5")
    return [row[: len(COLUMNS)] for row in rows]


def _is_list(value: object) -> bool:
    return isinstance(value, list | np.ndarray)
