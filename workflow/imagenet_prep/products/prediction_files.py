"""Files that people keep predictions in, as rows of cells: CSV and its like, Parquet, JSON, and NumPy's arrays.

What the cells mean is not decided here. Rows come in blocks, so that memory does not grow with a file of scores, which
has a number for each of 1000 classes and 50 000 images. JSON is read whole, and therefore has a limit.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import npy, parquet
from imagenet_prep.products.prediction_cells import is_value, looks_like_image, plain

ROWS = 1000
"""How many rows a block has, at the most."""

WRITE_AGAIN = "Let the program that made it write it again, or write it as CSV"

_JSON_LIMIT = 64 << 20
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces", "|": "bars"}
_CLOSED = re.compile(r'"[^"]*"|\[[^\]]*\]|\([^)]*\)')
_ENDINGS = {"[": "]", "(": ")"}
# Keys by which a JSON object of lists, or of objects, is one of columns and none of images.
_COLUMNS = {"filename", "filenames", "path", "paths", "image", "images", "top1", "prediction", "predictions", "pred"}
_HOLDERS = {"predictions", "prediction", "preds", "pred", "results"}  # of all predictions, beside the model's name

Row = Sequence[Any]
Block = list[Row] | npt.NDArray[Any]


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Attributes:
        form: what kind of file it is, in words.
        header: the names of its columns; None where it has none.
        blocks: its rows, each as long as the header, or of a NumPy array slices of shape (n,) or (n, k).
    """

    form: str
    header: list[str] | None
    blocks: Iterator[Block]


def open_table(path: Path) -> Table:
    """The rows of a file, by its ending.

    Raises:
        PrepError: it is not there, empty, damaged or of another form; also while its rows are read.
    """
    if not path.is_file():
        raise PrepError(path, "the predictions are not there", "Put them there, then run the same command again")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path)
    if suffix == ".npy":
        return _array(path)
    return _json(path) if suffix in (".json", ".jsonl") else _text(path)


def _parquet(path: Path) -> Table:
    try:
        file = parquet.open_table(path)
    except PrepError as error:  # which says of our own tables that the next run makes them anew
        raise PrepError(path, error.problem, WRITE_AGAIN) from error
    # An index of pandas without a name is a column of this one.
    header = [re.sub(r"^__index_level_\d+__$", "", name) for name in file.schema_arrow.names]

    def blocks() -> Iterator[Block]:
        try:
            for batch in parquet.read_batches(file, path, ROWS):
                yield list(zip(*(_cells(column) for column in batch.columns), strict=True))
        except PrepError as error:
            raise PrepError(path, error.problem, WRITE_AGAIN) from error

    return Table("Parquet", header, blocks())


def _cells(column: pa.Array) -> list[Any]:
    cells = column.to_pylist()
    return [it.decode("utf-8", "replace") if isinstance(it, bytes) else it for it in cells]


def _array(path: Path) -> Table:
    try:
        with reading(path):
            array = npy.mapped(path)
    except ValueError as error:
        problem = f"it cannot be read as an array of NumPy ({' '.join(str(error).split())})"
        raise PrepError(path, problem, "Write it again with numpy.save, an array of numbers") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise PrepError(path, "it is an archive of several arrays (.npz)", "Write the one with numpy.save")
    shape = " x ".join(map(str, array.shape))
    if array.ndim == 3 and 1 in array.shape[:1] + array.shape[2:]:
        array = array[0] if array.shape[0] == 1 else array[:, :, 0]
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufUS":
        problem = f"it is an array of shape ({shape}) and type {array.dtype}"
        remedy = "Save numbers of shape (images, classes) with scores, or (images, 5) or (images,) with indices"
        raise PrepError(path, problem, remedy)
    starts = range(0, len(array), ROWS)
    return Table(f"array of {shape}", None, (np.asarray(array[it : it + ROWS]) for it in starts))


# Text


def _text(path: Path) -> Table:
    rows = _rows_of_text(path)
    separator = next(rows)[0]
    first, second = next(rows, None), next(rows, None)
    if first is None:
        raise PrepError(path, "it cannot be read as CSV (it is empty)", WRITE_AGAIN)
    header = None
    if _is_header(first, second):
        header = [re.sub(r"^#\s*", "", it).strip() for it in first]
        if second is not None and len(second) == len(header) + 1:  # as R writes it, with names of rows
            header = ["", *header]
    width = len(header or first)
    there = [it for it in (None if header is not None else first, second) if it is not None]

    def blocks() -> Iterator[Block]:
        for start, block in enumerate(_batched(itertools.chain(there, rows))):
            for number, row in enumerate(block, start * ROWS + 1):
                if len(row) != width:
                    problem = (
                        f"its row {number} has another number of fields ({len(row)}) than the first line ({width})"
                    )
                    raise PrepError(path, problem, "Put texts with separators in them between quotes")
            yield block

    form = f"text separated by {_SEPARATORS[separator]}" if separator else "text of one column"
    return Table(form, header, blocks())


def _rows_of_text(path: Path) -> Iterator[list[str]]:
    """The separator, then the fields of every line; lines with nothing in them are left out."""
    try:
        with reading(path):
            with path.open("rb") as file:
                encoding = _BYTE_ORDER_MARKS.get(file.read(2), "utf-8-sig")
            with path.open(encoding=encoding, newline="") as text:
                start = text.tell()
                separator = _separator(next((line for line in iter(text.readline, "") if line.strip()), ""))
                yield [separator]
                text.seek(start)
                for row in _split(text, separator):
                    if any(map(str.strip, row)):
                        yield _rejoined([it.strip() for it in row], separator)
    except (csv.Error, UnicodeError) as error:
        problem = f"it cannot be read as CSV ({' '.join(str(error).split())})"
        raise PrepError(path, problem, WRITE_AGAIN) from error


def _separator(line: str) -> str:
    outside = _CLOSED.sub("", line.strip().removeprefix("#").strip())
    return next((it for it in _SEPARATORS if it in outside), "")


def _split(text: TextIO, separator: str) -> Iterable[list[str]]:
    if separator in ("", " "):
        return ([line.strip().strip('"')] if not separator else line.split() for line in text)
    return csv.reader(text, delimiter=separator, skipinitialspace=True)


def _rejoined(row: list[str], separator: str) -> list[str]:
    """The fields of a line, lists without quotes around them as one field each."""
    text = "".join(row)
    if not any(it in text for it in _ENDINGS):
        return row
    whole: list[str] = []
    closing = ""
    for it in row:
        if closing:
            whole[-1] += separator + it
        else:
            whole.append(it)
            closing = _ENDINGS.get(it[:1], "")
        if closing and it.endswith(closing):
            closing = ""
    return whole


def _is_header(first: Sequence[str], second: Sequence[str] | None) -> bool:
    """Whether a line has the names of columns: something in it is neither a value nor an image.

    A line of WNIDs alone is one, too, where none is in the next line: they are the names of columns of scores.
    """
    if not all(is_value(it) or looks_like_image(it) for it in first):
        return True
    names = [it for it in first if it[:1] == "n"]
    return bool(second) and len(names) > 1 and not any(it[:1] == "n" for it in second or ())


def _batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while block := list(itertools.islice(rows, ROWS)):
        yield block


# JSON


def _json(path: Path) -> Table:
    if path.stat().st_size > _JSON_LIMIT:
        problem = f"it has more than {_JSON_LIMIT >> 20} MiB, and JSON is read as a whole"
        raise PrepError(path, problem, "Write scores with numpy.save, and the best five classes as CSV")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, it in pairs:
            if key in found:
                raise PrepError(path, f"the key {key!r} is in it more than once", "Keep one entry an image")
            found[key] = it
        return found

    try:
        with reading(path):
            text = path.read_text(encoding="utf-8-sig")
        try:
            value = json.loads(text, object_pairs_hook=unique)
        except ValueError:  # perhaps an object a line
            value = [json.loads(line, object_pairs_hook=unique) for line in text.splitlines() if line.strip()]
        header, rows = _rows_of_json(value)
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"it cannot be read as JSON ({' '.join(str(error).split())})"
        raise PrepError(path, problem, WRITE_AGAIN) from error
    if header is not None:
        for number, row in enumerate(rows, 1):
            if len(row) != len(header):
                raise PrepError(path, f"entry {number} has other keys than the first", "Give every image the same keys")
    return Table("JSON", header, _batched(rows))


def _rows_of_json(value: Any) -> tuple[list[str] | None, list[Row]]:
    if isinstance(value, dict):
        if value.keys() == {"columns", "index", "data"}:  # pandas' orient="split"
            header = ["", *map(str, value["columns"])]
            return header, [[at, *row] for at, row in zip(value["index"], value["data"], strict=True)]
        if value.keys() == {"schema", "data"}:  # and "table"
            return _rows_of_json(value["data"])
        inner = [(key, it) for key, it in value.items() if isinstance(it, dict | list)]
        for key, it in inner if len(inner) == 1 else []:
            is_above = plain(key) in _COLUMNS or (isinstance(it, dict) and not looks_like_image(key))
            if plain(key) in _HOLDERS or (len(value) == 1 and is_above):
                return _rows_of_json(it)
        return _rows_of_object(value)
    if not isinstance(value, list) or not value:
        raise ValueError("it holds no list and no object, or an empty one")
    if all(isinstance(it, dict) for it in value):
        if all(len(it) == 1 and looks_like_image(next(iter(it))) for it in value):  # an object an image
            return ["key", "value"], [list(*it.items()) for it in value]
        return _rows_of_records(value)
    if all(isinstance(it, list) and len(it) > 1 and isinstance(it[0], str) and not is_value(it[0]) for it in value):
        return None, value
    return None, [[it] for it in value]


def _rows_of_object(value: dict[str, Any]) -> tuple[list[str] | None, list[Row]]:
    """An object of columns, or of images."""
    if not value:
        raise ValueError("it holds an empty object")
    values = list(value.values())
    named = any(plain(key) in _COLUMNS for key in value)
    if named and all(isinstance(it, list) for it in values):
        if len({len(it) for it in values}) > 1:
            raise ValueError(f"its lists {', '.join(value)} are not as long as each other")
        return list(value), list(zip(*values, strict=True))
    if all(isinstance(it, dict) for it in values):
        if not named:
            return _rows_of_records([{"filename": key, **it} for key, it in value.items()])
        # As pandas writes a table: an object of its index a column.
        if any(it.keys() != values[0].keys() for it in values):
            raise ValueError(f"its columns {', '.join(value)} are not of the same rows")
        columns = [list(it.values()) for it in values]
        if any(plain(key) in ("filename", "path", "image") for key in value):
            return list(value), list(zip(*columns, strict=True))
        return ["filename", *value], list(zip(values[0], *columns, strict=True))
    return ["key", "value"], [[key, it] for key, it in value.items()]


def _rows_of_records(records: list[dict[str, Any]]) -> tuple[list[str], list[Row]]:
    header = list(records[0])
    return header, [[it[key] for key in header] if it.keys() == records[0].keys() else [] for it in records]
