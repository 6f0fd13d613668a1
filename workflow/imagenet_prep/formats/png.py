"""PNG headers: size and colour of an image without decoding it (W3C PNG specification, 11.2.2 IHDR)."""

from __future__ import annotations

from imagenet_prep.formats.stream import Buffer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLORS = {0: (1, "Grayscale"), 2: (3, "RGB"), 3: (3, "RGB"), 4: (2, "Grayscale"), 6: (4, "RGBA")}


def parse(data: Buffer) -> tuple[int, int, int, str]:
    """Width and height in pixels, number of channels, and colorspace (Grayscale, RGB, RGBA) of a PNG file.

    A palette counts as the RGB that it stands for.

    Raises:
        ValueError: the header is not there or makes no sense.
    """
    header = bytes(data[:26])
    if len(header) < 26 or header[12:16] != b"IHDR":
        raise ValueError("its PNG header is not whole")
    width, height = int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise ValueError(f"its PNG header gives a size of {width}x{height}")
    if header[25] not in _COLORS:
        raise ValueError(f"its PNG header gives colour type {header[25]}, which does not exist")
    channels, colorspace = _COLORS[header[25]]
    return width, height, channels, colorspace


def has_end(data: Buffer) -> bool:
    """Whether the final IEND chunk is there, bytes behind it allowed."""
    return data[-8:-4] == b"IEND" or b"IEND\xae\x42\x60\x82" in bytes(data)
