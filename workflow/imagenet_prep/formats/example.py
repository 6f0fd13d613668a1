"""`tf.train.Example` messages, encoded and decoded without TensorFlow.

The message is `Example { Features features = 1 }`, `Features { map<string, Feature> feature = 1 }`, and `Feature` is
one of `BytesList = 1`, `FloatList = 2`, `Int64List = 3`, each with a repeated `value = 1` (TensorFlow's `example.proto`
and `feature.proto`); numbers are packed, as protocol buffers version 3 write them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

from imagenet_prep.formats.stream import Buffer

Value = list[bytes] | list[float] | list[int]
T = TypeVar("T")

# Tags: eight times the field's number, and 2 for bytes that follow their length.
_FEATURES = _FEATURE = _NAME = _VALUE = 0x0A
_VALUES = 0x12
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 0x0A, 0x12, 0x1A
_FIRST_FIELD = b"\x0a"
_SECOND_FIELD = b"\x12"
_SMALL = [bytes([value]) for value in range(0x80)]


def varint(value: int) -> bytes:
    """A non-negative integer below 2**64 in base 128, least significant group first."""
    if value <= 0x7F:
        return _SMALL[value]
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def bytes_entry(key: str, value: bytes) -> bytes:
    """The encoded feature `key` with one byte string."""
    return _before_known(key, _BYTES_LIST, len(value)) + value


def int64_entry(key: str, values: Sequence[int]) -> bytes:
    """The encoded feature `key` with a list of int64; an empty list is present, and empty."""
    packed = b"".join([varint(value & 0xFFFFFFFFFFFFFFFF) for value in values])
    return _before_known(key, _INT64_LIST, len(packed)) + packed


def float_entry(key: str, values: Sequence[float]) -> bytes:
    """The encoded feature `key` with a list of float32; an empty list is present, and empty."""
    packed = struct.pack(f"<{len(values)}f", *values)
    return _before_known(key, _FLOAT_LIST, len(packed)) + packed


def around(entries: bytes, key: str, nbytes: int) -> bytes:
    """The bytes of an Example up to the value of its last feature, a byte string of `nbytes` under `key`.

    An image can so be put behind them without being copied: `around(...) + image` is the whole message.

    Args:
        entries: the encoded features before it, one after the other.
    """
    last = _before(key, _BYTES_LIST, nbytes)
    return _FIRST_FIELD + varint(len(entries) + len(last) + nbytes) + entries + last


class Decoder(Generic[T]):
    """Decodes Examples whose features each mean something by themselves.

    Args:
        value_of: gives what a feature is, by its name and its values, which are not to be changed; raises `ValueError`
            where they cannot be that. Of features that many records have alike it is asked once.
    """

    def __init__(self, value_of: Callable[[str, Value], T]) -> None:
        self._value_of = value_of
        self._small_entry = lru_cache(maxsize=1 << 14)(self._alone)

    def decode(self, data: Buffer) -> dict[str, T]:
        """The features of an Example by name.

        Strict, since parsers let pass what nobody means: a feature is there once, of one kind, its name before its
        values, its numbers packed in one piece, and nothing else is in the message. All that is known to write
        Examples does so.

        Raises:
            ValueError: these bytes are no such Example, or one with other features; it says why.
        """
        try:
            data, end, entries = bytes(data), len(data), []
            position = _only(data, 0, end, _FEATURES) if end else 0
            while position < end:
                start, length = position, data[position + 1]
                if length <= 0x7F:  # what is cut off here is found where it is read
                    position += 2 + length
                    entries.append(self._small_entry(data[start:position]))
                else:
                    start, position = _part(data, start, end, _FEATURE)
                    entries.append(self._entry(data, start, position))
        except (IndexError, UnicodeDecodeError, struct.error) as error:
            raise _no_example("a part of it is cut off, or damaged") from error
        features = dict(entries)
        if len(features) < len(entries):
            names = [name for name, _ in entries]
            twice = next(name for name in names if names.count(name) > 1)
            raise _no_example(f"the feature {twice} is there twice")
        return features

    def _alone(self, field: bytes) -> tuple[str, T]:
        end = len(field)
        return self._entry(field, _only(field, 0, end, _FEATURE), end)

    def _entry(self, data: bytes, start: int, end: int) -> tuple[str, T]:
        name, values = _entry(data, start, end)
        return name, self._value_of(name, values)


def _before(key: str, kind: int, nbytes: int) -> bytes:
    """What stands in the encoded feature `key` before its `nbytes` of values: one byte string, or packed numbers."""
    item = _FIRST_FIELD + varint(nbytes) if nbytes or kind == _BYTES_LIST else b""
    feature = bytes([kind]) + varint(len(item) + nbytes) + item
    name = key.encode()
    entry = _FIRST_FIELD + varint(len(name)) + name + _SECOND_FIELD + varint(len(feature) + nbytes) + feature
    return _FIRST_FIELD + varint(len(entry) + nbytes) + entry


# Of features as long as these, most records have the same few.
_before_known = lru_cache(maxsize=1 << 12)(_before)


def _no_example(why: str) -> ValueError:
    return ValueError(f"these bytes are no tf.train.Example: {why}")


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        group = data[position]
        position += 1
        value |= (group & 0x7F) << shift
        if group < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise _no_example("a number has too many groups")


def _part(data: bytes, position: int, end: int, tag: int) -> tuple[int, int]:
    """Beginning and end of the bytes of the field `tag`, which is to be the one at a position, and to end by `end`."""
    if data[position] != tag or position >= end:
        raise _no_example(f"a field of tag {data[position]} is where tag {tag} should be")
    length = data[position + 1]
    position += 2
    if length > 0x7F:
        length, position = _read_varint(data, position - 1)
    if position + length > end:
        raise _no_example("a part of it is longer than the whole")
    return position, position + length


def _only(data: bytes, position: int, end: int, tag: int) -> int:
    """Beginning of the bytes of the field `tag`, which is to be all from a position to `end`."""
    start, stop = _part(data, position, end, tag)
    if stop != end:
        raise _no_example("there is more in it than its features, each with a name and values of one kind")
    return start


def _entry(data: bytes, start: int, end: int) -> tuple[str, Value]:
    """Name and values of the feature that is there."""
    start, stop = _part(data, start, end, _NAME)
    name = str(data[start:stop], "utf-8")
    position = _only(data, stop, end, _VALUES)
    if position == end:
        return name, []
    kind = data[position]
    if kind not in (_BYTES_LIST, _FLOAT_LIST, _INT64_LIST):
        raise _no_example(f"the feature {name} is of an unknown kind")
    position = _only(data, position, end, kind)
    if kind == _BYTES_LIST:
        strings = []
        while position < end:
            start, position = _part(data, position, end, _VALUE)
            strings.append(data[start:position])
        return name, strings
    packed = data[_only(data, position, end, _VALUE) : end] if position < end else b""
    if kind == _FLOAT_LIST:
        return name, [value for (value,) in struct.iter_unpack("<f", packed)]
    numbers, position = [], 0
    while position < len(packed):
        number, position = _read_varint(packed, position)
        numbers.append(number - (1 << 64) if number >> 63 else number)
    return name, numbers


decode = Decoder(lambda name, values: values).decode
"""The features of an Example by name, each a list of bytes, floats (of 32 bits) or ints."""
