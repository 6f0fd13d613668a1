"""The multi-label annotations of the validation images, as TFDS publishes them in `imagenet2012_multilabel` 3.0.0.

The builder of that dataset in TFDS is the only description of the file, a JSON object. Three of its keys are of use:
`initial_annots {file: {correct|wrong|unclear: [WNID]}}`, `problematic_images {file: ...}` and `imagenet_m [file]`. It
has 200 MB, so it is read as a stream.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import ijson
import pyarrow as pa

from imagenet_prep.errors import PrepError, reading

MULTILABEL = pa.schema(
    [
        ("file_name", pa.string()),
        ("original_label", pa.int32()),
        ("correct_multi_labels", pa.list_(pa.int32())),
        ("wrong_multi_labels", pa.list_(pa.int32())),
        ("unclear_multi_labels", pa.list_(pa.int32())),
        ("is_problematic", pa.bool_()),
        ("imagenet_m", pa.bool_()),
    ]
)

_KINDS = ("correct", "wrong", "unclear")
_KEYS = ("initial_annots", "problematic_images", "imagenet_m")
_CHUNK = 1 << 16
_PIECE = 1 << 8
_VALUE_LIMIT = 1 << 20
_DEPTH_LIMIT = 16
_REMEDY = "Get human_accuracy_v3.0.0.json again and compare its checksum"

# The parser's own error, and what it raises for numbers that Python will not make: of thousands of digits, or exponents
# beyond what a Decimal can hold.
_BROKEN = (ijson.JSONError, ArithmeticError, SystemError, ValueError)

Event = tuple[str, Any]
Annotations = dict[str, dict[str, list[str]]]


def read_multilabel(path: Path, validation: pa.Table, classes: pa.Table, class_wnids: Collection[str]) -> pa.Table:
    """The annotated images of the selected classes, schema MULTILABEL, in image order.

    Labels are indices of `classes`, in the order of the JSON; labels outside of a selected subset are left out of the
    lists, and names that are no images of `validation` are left out altogether.

    Args:
        path: the JSON file.
        validation: the images of the selected classes, with columns `filename` and `class_index`, in image order.
        classes: the selected ones, with columns `wnid` and `class_index`.
        class_wnids: of all classes of the devkit, also of those that are not selected.

    Raises:
        PrepError: no JSON, cut off, of another shape, or with a label that is no class; names the file, and the byte
            or the path in the JSON.
    """
    originals = dict(zip(validation["filename"].to_pylist(), validation["class_index"].to_pylist(), strict=True))
    index = dict(zip(classes["wnid"].to_pylist(), classes["class_index"].to_pylist(), strict=True))
    reader = _Reader(path, originals.keys(), frozenset(class_wnids))
    annotations, problematic, imagenet_m = reader.read()
    rows = []
    for file_name, original in originals.items():
        if file_name not in annotations:
            continue
        row = {
            "file_name": file_name,
            "original_label": original,
            "is_problematic": file_name in problematic,
            "imagenet_m": file_name in imagenet_m,
        }
        for kind in _KINDS:
            wnids = annotations[file_name].get(kind, [])
            row[f"{kind}_multi_labels"] = [index[wnid] for wnid in wnids if wnid in index]
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=MULTILABEL)


class _Reader:
    """One pass over the file. Each `_read` method consumes one value of the JSON."""

    def __init__(self, path: Path, images: Collection[str], class_wnids: frozenset[str]) -> None:
        self._path = path
        self._images = images
        self._class_wnids = class_wnids
        self._events = _events(path)

    def read(self) -> tuple[Annotations, set[str], set[str]]:
        """Annotations, names of problematic images and of those of ImageNet-M."""
        found: dict[str, Any] = {}
        for key in self._read_keys("the top level"):
            if key == "initial_annots":
                found[key] = self._read_annotations(key)
            elif key == "problematic_images":
                found[key] = set()
                for name in self._read_keys(key):
                    self._skip(f"{key}.{name}")
                    found[key].add(name)
            elif key == "imagenet_m":
                found[key] = set(self._read_strings(key))
            else:
                self._skip(key)
        next(self._events, None)  # lets the parser see that nothing follows
        missing = [key for key in _KEYS if key not in found]
        if missing:
            raise self._wrong("the top level", f"it has no {', '.join(missing)}")
        return found["initial_annots"], found["problematic_images"], found["imagenet_m"]

    def _read_annotations(self, where: str) -> Annotations:
        annotations: Annotations = {}
        for name in self._read_keys(where):
            if name not in self._images:
                self._skip(f"{where}.{name}")
                continue
            labels: dict[str, list[str]] = {}
            for kind in self._read_keys(f"{where}.{name}"):
                here = f"{where}.{name}.{kind}"
                if kind in _KINDS:
                    labels[kind] = self._read_strings(here)
                    for i, wnid in enumerate(labels[kind]):
                        if wnid not in self._class_wnids:
                            raise self._wrong(f"{here}[{i}]", f"{wnid[:40]!r} is no class of the devkit")
                else:
                    self._skip(here)
            annotations[name] = labels
        return annotations

    def _read_keys(self, where: str) -> Iterator[str]:
        """Yield the keys of an object; the caller consumes the value of each before it asks for the next."""
        self._start("start_map", where)
        seen: set[str] = set()
        for event, key in self._events:
            if event == "end_map":
                return
            if key in seen:
                raise self._wrong(where, f"the key {key[:40]!r} is there twice")
            seen.add(key)
            yield key

    def _read_strings(self, where: str) -> list[str]:
        self._start("start_array", where)
        strings: list[str] = []
        for event, value in self._events:
            if event == "end_array":
                break
            if event != "string":
                raise self._wrong(f"{where}[{len(strings)}]", f"{_described(event)} stands where a name should")
            strings.append(value)
        return strings

    def _start(self, wanted: str, where: str) -> None:
        event, _ = next(self._events)
        if event != wanted:
            raise self._wrong(where, f"{_described(event)} stands where {_described(wanted)} should")

    def _skip(self, where: str) -> None:
        depth = 0
        for event, _ in self._events:
            if event.startswith("start"):
                depth += 1
                if depth > _DEPTH_LIMIT:
                    raise self._wrong(where, f"values are nested more than {_DEPTH_LIMIT} deep")
            elif event.startswith("end"):
                depth -= 1
            if depth == 0:
                return

    def _wrong(self, where: str, problem: str) -> PrepError:
        return PrepError(self._path, f"JSON of another shape: at {ascii(where[:200])[1:-1]}, {problem}", _REMEDY)


def _described(event: str) -> str:
    return {"start_map": "an object", "start_array": "an array"}.get(event, f"a {event}")


def _events(path: Path) -> Iterator[Event]:
    """The JSON as a stream of events, in memory that one chunk of the file bounds."""
    with path.open("rb") as file, reading(path):
        batch: Any = ijson.sendable_list()
        parser = ijson.basic_parse_coro(batch)
        offset = unread = 0
        while True:
            chunk = file.read(_CHUNK)
            try:
                if chunk:
                    parser.send(chunk)
                else:
                    parser.close()
            except _BROKEN as error:
                raise _malformed(path, error, offset, chunk) from error
            unread = 0 if batch else unread + len(chunk)
            if unread > _VALUE_LIMIT:  # with each chunk the parser begins anew with such a value
                problem = f"the JSON has a value, or white space, of more than {_VALUE_LIMIT} bytes"
                raise PrepError(path, problem, _REMEDY, offset=offset)
            yield from batch
            batch.clear()
            offset += len(chunk)
            if not chunk:
                return


def _malformed(path: Path, error: Exception, offset: int, chunk: bytes) -> PrepError:
    if not chunk:
        problem = f"the JSON is cut off: the file ends after {offset} bytes in the middle of a value"
        return PrepError(path, problem, _REMEDY, offset=offset)
    said = re.search(r"(?:lexical|parse) error: ([^\\\n]*[^\\\n.])", str(error))
    detail = said[1] if said else " ".join(str(error).split())
    return PrepError(path, f"the JSON is malformed ({detail})", _REMEDY, offset=_broken_byte(path, offset, chunk))


def _broken_byte(path: Path, offset: int, chunk: bytes) -> int:
    """Where in the chunk at this offset parsing fails, found by parsing again, since the parser keeps no count."""
    good = 0
    for step in (_PIECE, 1):
        batch: Any = ijson.sendable_list()
        parser = ijson.basic_parse_coro(batch)
        with path.open("rb") as file:
            for _ in range(0, offset, _CHUNK):
                parser.send(file.read(_CHUNK))
                batch.clear()
        if good:
            parser.send(chunk[:good])
        try:
            while good < len(chunk):
                parser.send(chunk[good : good + step])
                good += step
        except _BROKEN:
            continue
        return offset + len(chunk)
    return offset + good
