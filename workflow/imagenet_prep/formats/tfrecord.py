"""TFRecord files: framing, reading with both checksums, and finding the records by their lengths.

A record is `uint64 length, uint32 masked CRC-32C of the length, data, uint32 masked CRC-32C of the data`, all
little-endian (TensorFlow's guide "TFRecord and tf.train.Example"). The mask keeps a checksum of data that holds
checksums apart.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from io import FileIO
from typing import Any

from crc32c import crc32c

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example
from imagenet_prep.formats.gathering import GatheringWriter
from imagenet_prep.formats.stream import Buffer, EndOfStream, Stream

HEADER_BYTES = 12
FOOTER_BYTES = 4
_HEADER = struct.Struct("<QI")
_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_LENGTH_LIMIT = 1 << 31
REMEDY = "Delete this file and run the workflow again: it is made anew"


def masked(crc: int) -> int:
    """A CRC-32C as TFRecord files store it: rotated right by 15 bits, plus a constant."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def frame(parts: Iterable[Buffer]) -> tuple[bytes, bytes]:
    """The 12 bytes before and the 4 bytes behind a record whose data are `parts` one after the other."""
    length = crc = 0
    for part in parts:
        length += len(part)
        crc = crc32c(part, crc)
    packed = _LENGTH.pack(length)
    return packed + _CRC.pack(masked(crc32c(packed))), _CRC.pack(masked(crc))


def write_examples(file: FileIO, examples: Iterable[tuple[bytes, Buffer]], key: str) -> dict[str, Any]:
    """Write a record for each Example; return the `bytes` of all, and their `crc32c` in hexadecimal.

    Args:
        file: open for writing, unbuffered.
        examples: of each the encoded features (`example.*_entry`), and the bytes of its image, which are not copied.
        key: the name of the feature that holds the image; it comes last.
    """
    output = GatheringWriter(file)
    for entries, image in examples:
        prefix = example.around(entries, key, len(image))
        header, footer = frame((prefix, image))
        output.write(header, prefix, image, footer)
    output.flush()
    return {"bytes": output.nbytes, "crc32c": f"{output.crc32c:08x}"}


def record_ranges(path: str | os.PathLike[str]) -> Iterator[tuple[int, int]]:
    """Yield offset and size in bytes of every record with its frame, found by going from length to length.

    Reads 12 bytes of each record. The checksum of the length is compared, that of the data is not.

    Raises:
        PrepError: a length is damaged, or the file is cut off; names the offset.
    """
    place = os.fspath(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        end = os.fstat(descriptor).st_size
        offset = 0
        while offset < end:
            length = _length(os.pread(descriptor, HEADER_BYTES, offset), place, offset)
            size = HEADER_BYTES + length + FOOTER_BYTES
            if offset + size > end:
                raise _cut_off(place, offset)
            yield offset, size
            offset += size
    finally:
        os.close(descriptor)


def records(stream: Stream, place: str) -> Iterator[tuple[int, Buffer]]:
    """Yield offset and data of every record in a stream, both checksums compared; the data are valid until the next.

    Shares no code with what writes records or finds them by their lengths, which the audit and tests check with it.

    Raises:
        PrepError: a checksum does not hold, or the file is cut off; names the offset.
    """
    while True:
        offset = stream.offset
        try:
            length, crc_of_length = struct.unpack("<8sI", stream.take(12))
            size = int.from_bytes(length, "little")
            if crc32c(length) != _unmasked(crc_of_length):
                raise PrepError(place, "the checksum of a record's length does not hold", REMEDY, offset=offset)
            if size > _LENGTH_LIMIT:
                raise PrepError(place, f"a record claims {size} bytes", REMEDY, offset=offset)
            framed = stream.take(size + 4)
        except EndOfStream as error:
            if stream.offset == offset and not error.available:
                return
            raise _cut_off(place, offset) from error
        data = framed[:size]
        if crc32c(data) != _unmasked(int.from_bytes(framed[size:], "little")):
            raise PrepError(place, "the record's checksum does not hold: its data are damaged", REMEDY, offset=offset)
        yield offset, data


def _unmasked(stored: int) -> int:
    """The CRC-32C that a stored one stands for: less the constant, and rotated left by 15 bits."""
    rotated = (stored - 0xA282EAD8) % (1 << 32)
    return (rotated << 15) % (1 << 32) | rotated >> 17


def _length(header: Buffer, place: str, offset: int) -> int:
    if len(header) < HEADER_BYTES:
        raise _cut_off(place, offset)
    length, crc = _HEADER.unpack(header)
    if crc != masked(crc32c(header[:8])):
        raise PrepError(place, "the checksum of a record's length does not hold", REMEDY, offset=offset)
    if length > _LENGTH_LIMIT:
        raise PrepError(place, f"a record claims {length} bytes", REMEDY, offset=offset)
    return int(length)


def _cut_off(place: str, offset: int) -> PrepError:
    return PrepError(place, "the record that begins here is cut off", REMEDY, offset=offset)
