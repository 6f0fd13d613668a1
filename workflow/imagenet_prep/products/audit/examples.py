"""The Examples of records as the audit reads them: what each feature has to be, and the column that it goes into."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar, cast

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, tfrecord
from imagenet_prep.formats.example import Value
from imagenet_prep.formats.stream import Buffer, Stream
from imagenet_prep.products.audit.readings import (
    CRC32C,
    FILENAME,
    HEADER,
    OFFSET,
    SIZE,
    Reading,
    header_of,
    read_rows,
    schema_of,
)

T = TypeVar("T")
Kind = Callable[[str, Value], Any]
"""Gives what is compared of the values of a feature with this name; raises `ValueError` where they cannot be that."""


class Examples:
    """The Examples of a product, all with the same features.

    Args:
        features: what each of the others is, and its column; by its name.
        image: the feature that holds the bytes of the image.
        constant: the values of those that are the same in all records.
        own: the types of columns that no other format has.
    """

    def __init__(
        self,
        features: Mapping[str, tuple[str, Kind]],
        image: str,
        constant: Mapping[str, Value] | None = None,
        own: Mapping[str, pa.DataType] | None = None,
    ) -> None:
        self._constant = constant or {}
        self._kinds = {image: content, **{name: kind for name, (_, kind) in features.items()}}
        self._names = self._kinds.keys() | self._constant.keys()
        self._image, columns = image, [column for column, _ in features.values()]
        self._filename = list(features)[columns.index(FILENAME)]
        self._values_of = itemgetter(*features)
        self._decoder = example.Decoder(self._value_of)
        self.schema = schema_of([*columns, CRC32C, HEADER], own)

    def _value_of(self, name: str, values: Value) -> Any:
        if self._constant.get(name, values) != values:
            raise ValueError(f"{name} is {values}")
        kind = self._kinds.get(name)
        return kind(name, values) if kind else values

    def row(self, record: Buffer, reencoded: Collection[str]) -> tuple[Any, ...]:
        """What the Example in a record says, a value for each column of `schema`.

        Args:
            record: its bytes.
            reencoded: the names of images that were encoded again.

        Raises:
            ValueError: it is no Example, or one with other features; it says why.
        """
        features = self._decoder.decode(record)
        if features.keys() != self._names:
            odd = sorted(features.keys() ^ self._names)
            raise ValueError(f"its features are not those of all records: {', '.join(odd)}")
        image = features[self._image]
        header = header_of(image, features[self._filename], reencoded)
        return (*self._values_of(features), crc32c(image), header)

    def read(self, path: Path, reencoded: Collection[str]) -> Reading:
        """Read a TFRecord file of such Examples with both checksums of every record, and where each record lies."""

        def rows(stream: Stream) -> Iterator[tuple[Any, ...]]:
            for offset, record in tfrecord.records(stream, str(path)):
                try:
                    row = self.row(record, reencoded)
                except ValueError as error:
                    problem = f"the record that begins here is not what it should be ({error})"
                    raise PrepError(path, problem, tfrecord.REMEDY, offset=offset) from error
                yield (*row, offset, stream.offset - offset)

        return read_rows(path, pa.unify_schemas([self.schema, schema_of([OFFSET, SIZE])]), rows)


def content(name: str, values: Value) -> bytes:
    """The bytes that are the only value of a feature."""
    return _one(name, values, bytes)


def text(name: str, values: Value) -> str:
    """The text that is."""
    try:
        return content(name, values).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text ({error})") from error


def number(name: str, values: Value) -> int:
    """The whole number that is."""
    return _one(name, values, int)


def numbers(name: str, values: Value) -> list[int]:
    """The whole numbers that all values of a feature are; perhaps none."""
    return _each(name, values, int)


def floats(name: str, values: Value) -> list[float]:
    """The floats that all values of a feature are; perhaps none."""
    return _each(name, values, float)


def _one(name: str, values: Value, kind: type[T]) -> T:
    if len(values) != 1 or type(values[0]) is not kind:
        raise ValueError(f"{name} has not one value of type {kind.__name__}")
    return values[0]


def _each(name: str, values: Value, kind: type[T]) -> list[T]:
    if values and type(values[0]) is not kind:
        raise ValueError(f"{name} has values that are not of type {kind.__name__}")
    return cast(list[T], values)
