"""JPEG headers: size and colour of an image without decoding it.

The segments are those of ITU-T T.81 (Annex B); the Adobe APP14 segment is described in Adobe Technical Note 5116.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imagenet_prep.formats.stream import Buffer

SIGNATURE = b"\xff\xd8\xff"
END_OF_IMAGE = b"\xff\xd9"
SCAN = b"\xff\xda"
_SEGMENT = struct.Struct(">BBH")  # 0xFF, marker, length of what follows with its own two bytes
_FRAME = struct.Struct(">HHB")  # height, width, channels, behind the marker, the length and a byte
_START_OF_SCAN = 0xDA
_APP14 = 0xEE
_STANDALONE = frozenset([0x01, *range(0xD0, 0xD9)])
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = _START_OF_FRAME - {0xC2, 0xC6, 0xCA, 0xCE}  # the others are progressive
_STEPS_LIMIT = 1 << 20  # segments and bytes between them; a header has some dozens
_COLORSPACES = {1: "Grayscale", 3: "RGB", 4: "CMYK"}


def parse(data: Buffer) -> tuple[int, int, int, str]:
    """Width and height in pixels, number of channels, and colorspace (Grayscale, RGB, CMYK) of a JPEG file.

    Raises:
        ValueError: no frame header is there, or it makes no sense; the text says what and where.
    """
    position = 2
    for marker, position in _segments(data):
        if marker in _START_OF_FRAME and position + 10 <= len(data):
            height, width, channels = _FRAME.unpack_from(data, position + 5)
            if not width or not height:
                raise ValueError(f"its JPEG header gives a size of {width}x{height}")
            if channels not in _COLORSPACES:
                raise ValueError(f"its JPEG header gives {channels} channels")
            return width, height, channels, _COLORSPACES[channels]
    raise ValueError(
        f"its JPEG header ends without a frame, in the segment at byte {position} of the image or behind it"
    )


def has_end(data: Buffer) -> bool:
    """Whether the end-of-image marker is there, bytes behind it allowed.

    Inside entropy-coded data every 0xFF is followed by 0x00 or a restart marker, so that the marker cannot be met
    there by chance; the thumbnail in an EXIF segment has one of its own.
    """
    if data[-2:] == END_OF_IMAGE:
        return True
    first_scan = next((position for marker, position in _segments(data) if marker == _START_OF_SCAN), None)
    content = bytes(data)
    return first_scan is not None and content.rfind(END_OF_IMAGE) > content.rfind(SCAN) >= first_scan


def scans(data: bytes) -> int:
    """How many scans a decoder goes through at the most: one where, in a sequential image, that has all channels."""
    channels = None
    for marker, position in _segments(data):
        if marker in _SEQUENTIAL:
            channels = data[position + 9 : position + 10]
        if marker == _START_OF_SCAN and data[position + 4 : position + 5] == channels:
            return 1
    return data.count(SCAN)


def has_adobe_marker(data: Buffer) -> bool:
    """Whether an Adobe APP14 segment stands before the first scan: then CMYK samples are stored inverted."""
    return any(
        marker == _APP14 and bytes(data[position + 4 : position + 9]) == b"Adobe"
        for marker, position in _segments(data)
    )


def _segments(data: Buffer) -> Iterator[tuple[int, int]]:
    """Marker and offset of every segment up to the first scan, with it.

    Bytes between segments that belong to none are passed over, as libjpeg does.
    """
    size = len(data)
    position = 2
    for _ in range(_STEPS_LIMIT):
        if position + 4 > size:
            return
        first, marker, length = _SEGMENT.unpack_from(data, position)
        if first != 0xFF or marker in (0x00, 0xFF):
            position += 1
            continue
        if marker in _STANDALONE:
            position += 2
            continue
        if length < 2 or marker == END_OF_IMAGE[1]:
            return
        yield marker, position
        if marker == _START_OF_SCAN:
            return
        position += 2 + length
