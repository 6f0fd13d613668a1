"""PNG headers, with Pillow as the judge."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from builders import image
from imagenet_prep.formats import png


@pytest.mark.parametrize(
    ("mode", "channels", "colorspace"),
    [
        ("1", 1, "Grayscale"),
        ("L", 1, "Grayscale"),
        ("LA", 2, "Grayscale"),
        ("P", 3, "RGB"),
        ("RGB", 3, "RGB"),
        ("RGBA", 4, "RGBA"),
    ],
)
def test_the_header_tells_size_and_colour(mode: str, channels: int, colorspace: str) -> None:
    data = image(0, (31, 17), mode, "PNG")
    assert png.parse(data) == (31, 17, channels, colorspace)
    assert Image.open(io.BytesIO(data)).size == (31, 17)


def test_an_image_of_16_bits_is_grayscale() -> None:
    output = io.BytesIO()
    Image.fromarray(np.zeros((5, 4), np.uint16)).save(output, "PNG")
    assert png.parse(output.getvalue()) == (4, 5, 1, "Grayscale")


def header(width: int, height: int, colour: int) -> bytes:
    content = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, colour, 0, 0, 0])
    return png.SIGNATURE + (13).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")


@pytest.mark.parametrize(("width", "height", "colour"), [(0, 1, 2), (1, 0, 2), (1 << 31, 1, 2), (1, 1, 1), (1, 1, 7)])
def test_a_header_that_makes_no_sense_is_an_error(width: int, height: int, colour: int) -> None:
    with pytest.raises(ValueError, match="its PNG header gives"):
        png.parse(header(width, height, colour))


@pytest.mark.parametrize("cut", range(8, 26))
def test_a_header_that_is_cut_off_is_an_error(cut: int) -> None:
    with pytest.raises(ValueError, match="not whole"):
        png.parse(image(form="PNG")[:cut])


@given(st.binary(max_size=60))
def test_any_bytes_are_a_header_or_a_value_error(data: bytes) -> None:
    try:
        width, height, _, _ = png.parse(png.SIGNATURE + data)
    except ValueError:
        return
    assert min(width, height) > 0


@pytest.mark.parametrize("garbage", [b"", b"\0", b"garbage" * 9])
def test_the_end_is_found_whatever_follows_it(garbage: bytes) -> None:
    assert png.has_end(image(form="PNG") + garbage)


def test_an_image_cut_off_before_its_end_chunk_has_no_end() -> None:
    data = image(form="PNG")
    assert not any(png.has_end(data[:cut]) for cut in range(len(data) - 8))
