"""`tf.train.Example` messages, encoded and decoded without TensorFlow.

The message is `Example { Features features = 1 }`, `Features { map<string, Feature> feature = 1 }`, and `Feature` is
one of `BytesList = 1`, `FloatList = 2`, `Int64List = 3`, each with a repeated `value = 1` (TensorFlow's `example.proto`
and `feature.proto`); numbers are packed, as protocol buffers version 3 write them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache

from imagenet_prep.formats.stream import Buffer

Value = list[bytes] | list[float] | list[int]

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 0x0A, 0x12, 0x1A
_FIRST_FIELD = b"\x0a"
_SECOND_FIELD = b"\x12"
_SMALL = [bytes([value]) for value in range(0x80)]
_ALIKE = 256  # bytes up to which an encoded feature is worth remembering: most say the same in many records


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


def decode(data: Buffer) -> dict[str, Value]:
    """The features of an Example by name, each a list of bytes, floats (of 32 bits) or ints.

    Raises:
        ValueError: these bytes are no Example.
    """
    try:
        features: dict[str, Value] = {}
        view = memoryview(data)
        for field, first, end in _messages(view, 0, len(view)):
            if field == 1:
                for _, start, stop in _messages(view, first, end):
                    if stop - start <= _ALIKE:
                        name, value = _small_entry(bytes(view[start:stop]))
                        features[name] = value.copy()
                    else:
                        name, value = _parse_entry(view[start:stop])
                        features[name] = value
        return features
    except (IndexError, KeyError, UnicodeDecodeError, struct.error) as error:
        raise ValueError("these bytes are no tf.train.Example") from error


def _before(key: str, kind: int, nbytes: int) -> bytes:
    """What stands in the encoded feature `key` before its `nbytes` of values: one byte string, or packed numbers."""
    item = _FIRST_FIELD + varint(nbytes) if nbytes or kind == _BYTES_LIST else b""
    feature = bytes([kind]) + varint(len(item) + nbytes) + item
    name = key.encode()
    entry = _FIRST_FIELD + varint(len(name)) + name + _SECOND_FIELD + varint(len(feature) + nbytes) + feature
    return _FIRST_FIELD + varint(len(entry) + nbytes) + entry


# Of features as long as these, most records have the same few.
_before_known = lru_cache(maxsize=1 << 12)(_before)


def _read_varint(data: Buffer, position: int) -> tuple[int, int]:
    value = data[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    shift = 7
    while True:
        group = data[position]
        position += 1
        value |= (group & 0x7F) << shift
        if group < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise ValueError("these bytes are no tf.train.Example: a number has too many groups")


def _messages(data: Buffer, position: int, end: int) -> list[tuple[int, int, int]]:
    """Field number, beginning and end of every message between two positions."""
    found = []
    while position < end:
        tag = data[position]
        if tag > 0x7F:
            tag, position = _read_varint(data, position)
        else:
            position += 1
        if tag & 7 != 2:
            raise ValueError(f"these bytes are no tf.train.Example: wire type {tag & 7} in place of a message")
        length = data[position]
        if length > 0x7F:
            length, position = _read_varint(data, position)
        else:
            position += 1
        if position + length > end:
            raise ValueError("these bytes are no tf.train.Example: a message is longer than what holds it")
        found.append((tag >> 3, position, position + length))
        position += length
    return found


def _parse_entry(entry: Buffer) -> tuple[str, Value]:
    parts = {field: (start, stop) for field, start, stop in _messages(entry, 0, len(entry))}
    start, stop = parts[1]
    return str(entry[start:stop], "utf-8"), _value(entry, *parts[2])


@lru_cache(maxsize=1 << 14)
def _small_entry(entry: bytes) -> tuple[str, Value]:
    return _parse_entry(entry)


def _value(data: Buffer, position: int, end: int) -> Value:
    if position == end:
        return []
    ((kind, position, end),) = _messages(data, position, end)
    items = [data[start:stop] for _, start, stop in _messages(data, position, end)]
    if kind == 1:  # a BytesList
        return [bytes(item) for item in items]
    if kind == 2:  # a FloatList
        return [value for item in items for (value,) in struct.iter_unpack("<f", item)]
    if kind != 3:  # nor an Int64List
        raise ValueError(f"these bytes are no tf.train.Example: a feature of kind {kind}")
    numbers: list[int] = []
    for item in items:
        position = 0
        while position < len(item):
            number, position = _read_varint(item, position)
            numbers.append(number - (1 << 64) if number >> 63 else number)
    return numbers
