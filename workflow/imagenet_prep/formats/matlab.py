"""MATLAB files, looked at before scipy reads them: whole, and not more than a bound when inflated.

Of MATLAB's "MAT-File Format" this takes Level 5, whose arrays MATLAB compresses since its version 7. The checksum of
the compression tells of every accident. That matters, since scipy trusts what it reads: of what is damaged inside of an
array that is not compressed it can make anything, or end the process.
"""

from __future__ import annotations

import struct
import zlib

_LIMIT = 32 << 20
_HEADER_BYTES = 128
_ORDERS = {b"IM": "<", b"MI": ">"}
_MATRIX, _COMPRESSED = 14, 15
_FLAGS = (6, 8)  # how each array begins: 8 bytes of type 6


def expect_whole(content: bytes) -> None:
    """Look through a file before it is parsed.

    Raises:
        ValueError: it is no such file, is damaged, or holds more than 32 MiB.
    """
    order = _ORDERS.get(content[126:_HEADER_BYTES])
    if order is None or content[124:126] != struct.pack(f"{order}H", 0x0100):
        raise ValueError("it is no MATLAB file of Level 5")
    tag = struct.Struct(f"{order}II")
    position, room = _HEADER_BYTES, _LIMIT
    while position < len(content):
        start = position + tag.size
        if start > len(content):
            raise ValueError("it is cut off")
        kind, nbytes = tag.unpack_from(content, position)
        is_array = kind == _MATRIX and content.startswith(tag.pack(*_FLAGS), start)
        if kind != _COMPRESSED and not is_array:
            raise ValueError("it holds something other than arrays")
        position = start + nbytes
        if position > len(content):
            raise ValueError("it is cut off")
        room -= _inflated_size(content[start:position], room) if kind == _COMPRESSED else nbytes
        if room < 0:
            raise ValueError(f"it holds more than {_LIMIT} bytes")


def _inflated_size(data: bytes, room: int) -> int:
    """How many bytes an array has, at most `room`, once its checksum holds."""
    inflate = zlib.decompressobj()
    try:
        nbytes = len(inflate.decompress(data, room + 1))
    except zlib.error as error:
        raise ValueError(f"its compression is broken ({error})") from error
    if nbytes > room:
        raise ValueError(f"it holds more than {_LIMIT} bytes")
    if not inflate.eof or inflate.unused_data:
        raise ValueError("an array is not as long as its header says")
    return nbytes
