"""MATLAB files, looked through before a parser gets them that trusts what it reads.

Of MATLAB's "MAT-File Format" this takes Level 5, and of that arrays of numbers and text, cells and structures. A small
file can ask scipy for more memory than there is, and cells within cells for more stack, which ends the process.
"""

from __future__ import annotations

import math
import struct
import zlib

_LIMIT = 32 << 20
_DEPTH_LIMIT = 4
_HEADER_BYTES = 128
_ORDERS = {b"IM": "<", b"MI": ">"}

# Types of data elements, and classes of arrays.
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_CELL, _STRUCT, _TEXT = 1, 2, 4
_NUMBERS = range(6, 16)
_COMPLEX = 0x0800

# Types that the values of arrays may have; scipy takes another one for a place in a table, however far behind its end.
_NUMBER_TYPES = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_TEXT_TYPES = {1, 2, 3, 4, 16, 17, 18}


def unpacked(content: bytes) -> bytes:
    """The file with nothing in it compressed, once everything in it is what its headers say.

    Raises:
        ValueError: it is no such file, or holds what its own lengths and dimensions contradict, what is nested too
            deep, or more than 32 MiB.
    """
    order = _ORDERS.get(content[126:_HEADER_BYTES])
    if order is None or content[124:126] != struct.pack(f"{order}H", 0x0100):
        raise ValueError("it is no MATLAB file of Level 5")
    parts = [content[:_HEADER_BYTES]]
    room = _LIMIT
    elements = _Elements(content, order, _HEADER_BYTES, len(content))
    while elements.is_left:
        kind, start, end = elements.next(padded=False)
        if kind == _COMPRESSED:
            part = _inflated(content[start:end], room)
        else:
            elements.position = min(len(content), -(-end // 8) * 8)
            part = content[start - 8 : elements.position]
        inner = _Elements(part, order, 0, len(part))
        kind, start, end = inner.next()
        if kind != _MATRIX or inner.is_left:
            raise ValueError("it holds something other than arrays")
        _expect_array(_Elements(part, order, start, end), 1)
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


class _Elements:
    """The data elements one after the other between two positions."""

    def __init__(self, data: bytes, order: str, start: int, end: int) -> None:
        self.data = data
        self.order = order
        self.position = start
        self.size = end - start
        self._end = end
        self._tag = struct.Struct(f"{order}II")

    @property
    def is_left(self) -> bool:
        return self.position < self._end

    def next(self, *, padded: bool = True) -> tuple[int, int, int]:
        """Type of the next element, and where its data begin and end."""
        start = self.position + 8
        if start > self._end:
            raise ValueError("an array ends too early")
        kind, nbytes = self._tag.unpack_from(self.data, self.position)
        if kind >> 16:  # a small element has its data in the tag
            kind, nbytes, start = kind & 0xFFFF, kind >> 16, start - 4
            if nbytes > 4:
                raise ValueError("a small data element is too large")
        end = start + nbytes
        if end > self._end:
            raise ValueError("a data element is longer than what holds it")
        self.position = min(self._end, -(-end // 8) * 8 if padded else end)
        return kind, start, end

    def numbers(self, kind: int) -> tuple[int, ...]:
        """The next element, of 32-bit integers."""
        found, start, end = self.next()
        if found != kind or (end - start) % 4:
            raise ValueError("the header of an array is damaged")
        code = "i" if kind == _INT32 else "I"
        return struct.unpack(f"{self.order}{(end - start) // 4}{code}", self.data[start:end])


def _expect_array(elements: _Elements, depth: int) -> None:
    if not elements.size:
        return
    if depth > _DEPTH_LIMIT:
        raise ValueError(f"arrays are nested more than {_DEPTH_LIMIT} deep")
    flags, dimensions = elements.numbers(_UINT32), elements.numbers(_INT32)
    name, _, _ = elements.next()
    if len(flags) != 2 or not 2 <= len(dimensions) <= 8 or min(dimensions) < 0 or name != _INT8:
        raise ValueError("the header of an array is damaged")
    count = math.prod(dimensions)
    if max(*dimensions, count) > elements.size:
        raise ValueError(f"an array of {elements.size} bytes claims {'x'.join(map(str, dimensions))} values")
    kind = flags[0] & 0xFF
    if kind == _TEXT or kind in _NUMBERS:
        for _ in range(2 if flags[0] & _COMPLEX else 1):
            found, start, end = elements.next()
            if found not in (_TEXT_TYPES if kind == _TEXT else _NUMBER_TYPES):
                raise ValueError(f"the values of an array are of type {found}, not numbers or text")
            if count > end - start:
                raise ValueError(f"an array of {count} values has {end - start} bytes")
    elif kind in (_CELL, _STRUCT):
        for _ in range(count * (_fields(elements) if kind == _STRUCT else 1)):
            found, start, end = elements.next()
            if found != _MATRIX:
                raise ValueError("something other than an array lies in a cell or structure")
            _expect_array(_Elements(elements.data, elements.order, start, end), depth + 1)
    else:
        raise ValueError(f"an array is of class {kind}, not numbers, text, cells or structures")
    if elements.is_left:
        raise ValueError("an array holds more than its header says")


def _fields(elements: _Elements) -> int:
    """How many fields a structure has."""
    length = elements.numbers(_INT32)
    kind, start, end = elements.next()
    if len(length) != 1 or length[0] < 1 or kind != _INT8 or (end - start) % length[0]:
        raise ValueError("the names of a structure's fields are damaged")
    return (end - start) // length[0]


def _inflated(data: bytes, room: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(data, room + 1)
    except zlib.error as error:
        raise ValueError(f"its compression is broken ({error})") from error
    if len(content) > room:
        raise ValueError(f"it holds more than {_LIMIT} bytes")
    return content
