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

# Tags: eight times the field's number, and 2 for bytes that follow their length.
_FEATURES = _FEATURE = _NAME = _VALUE = 0x0A
_VALUES = 0x12
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
    """The features of an Example by name, each a list of bytes, floats (of 32 bits) or ints, not to be changed.

    Strict, since parsers let pass what nobody means: a feature is there once, of one kind, its name before its values,
    its numbers packed in one piece, and nothing else is in the message. All that is known to write Examples does so.

    Raises:
        ValueError: these bytes are no such Example; it says why.
    """
    try:
        features: dict[str, Value] = {}
        end = len(data)
        position = _only(data, 0, _FEATURES) if end else 0
        while position < end:
            length = data[position + 1]
            if length > 0x7F or length > end - position - 2 or data[position] != _FEATURE:
                start, position = _part(data, position, _FEATURE)
            else:  # the same, for most features, without a call
                start = position + 2
                position = start + length
            if position - start <= _ALIKE:
                name, value = _small_entry(bytes(data[start:position]))
            else:
                name, value = _entry(data[start:position])
            if name in features:
                raise _no_example(f"the feature {name} is there twice")
            features[name] = value
        return features
    except (IndexError, UnicodeDecodeError, struct.error) as error:
        raise _no_example("a part of it is cut off, or damaged") from error


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


def _read_varint(data: Buffer, position: int) -> tuple[int, int]:
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


def _part(data: Buffer, position: int, tag: int) -> tuple[int, int]:
    """Beginning and end of the bytes of the field `tag`, which is to be the one at a position."""
    if data[position] != tag:
        raise _no_example(f"a field of tag {data[position]} is where tag {tag} should be")
    length = data[position + 1]
    position += 2
    if length > 0x7F:
        length, position = _read_varint(data, position - 1)
    if position + length > len(data):
        raise _no_example("a part of it is longer than the whole")
    return position, position + length


def _only(data: Buffer, position: int, tag: int) -> int:
    """Beginning of the bytes of the field `tag`, which is to be all that follows a position."""
    start, stop = _part(data, position, tag)
    if stop != len(data):
        raise _no_example("there is more in it than its features, each with a name and values of one kind")
    return start


def _entry(entry: Buffer) -> tuple[str, Value]:
    """Name and values of a feature."""
    start, stop = _part(entry, 0, _NAME)
    name, end = str(entry[start:stop], "utf-8"), len(entry)
    position = _only(entry, stop, _VALUES)
    if position == end:
        return name, []
    kind = entry[position]
    if kind not in (_BYTES_LIST, _FLOAT_LIST, _INT64_LIST):
        raise _no_example(f"the feature {name} is of an unknown kind")
    position = _only(entry, position, kind)
    if kind == _BYTES_LIST:
        strings = []
        while position < end:
            start, position = _part(entry, position, _VALUE)
            strings.append(bytes(entry[start:position]))
        return name, strings
    packed = entry[_only(entry, position, _VALUE) :] if position < end else b""
    if kind == _FLOAT_LIST:
        return name, [value for (value,) in struct.iter_unpack("<f", packed)]
    numbers, position = [], 0
    while position < len(packed):
        number, position = _read_varint(packed, position)
        numbers.append(number - (1 << 64) if number >> 63 else number)
    return name, numbers


_small_entry = lru_cache(maxsize=1 << 14)(_entry)
