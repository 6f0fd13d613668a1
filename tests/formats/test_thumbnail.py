"""Thumbnails, held against the whole image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imagenet_prep.formats import picture


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(mode: str, size: tuple[int, int]) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, *size))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("size", [(1000, 500), (90, 60), (128, 4000)])
def test_a_thumbnail_is_the_image_made_small(mode: str, size: tuple[int, int]) -> None:
    small, orientation = picture.thumbnail(encoded(halves(mode, size), quality=95), 128)
    assert orientation == 1
    assert min(124, max(size)) <= max(small.size) <= 128
    assert small.width / small.height == pytest.approx(size[0] / size[1], rel=0.3)
    pixels = np.asarray(small, int)
    middle = small.height // 2
    assert np.abs(pixels[middle, 0] - (200, 30, 30)).max() < 25
    assert np.abs(pixels[middle, -1] - (30, 30, 200)).max() < 25


def test_a_jpeg_is_decoded_no_larger_than_its_thumbnail_where_that_comes_near() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (375, 500, 3), np.uint8)
    data = encoded(Image.fromarray(noise))
    quarter = Image.open(io.BytesIO(data))
    quarter.draft(None, (125, 93))
    assert quarter.size == (125, 94)
    assert picture.thumbnail(data, 128).image.tobytes() == quarter.tobytes()


def test_a_png_with_alpha_becomes_rgb() -> None:
    assert picture.thumbnail(encoded(halves("RGBA", (300, 300)), "PNG"), 64).image.mode == "RGB"


def test_pixels_stay_as_they_are_stored_and_the_orientation_is_told() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    small, orientation = picture.thumbnail(encoded(halves("RGB", (400, 200)), exif=exif), 100)
    assert (small.size, orientation) == ((100, 50), 6)


def test_a_damaged_exif_segment_hinders_nothing() -> None:
    data = encoded(halves("RGB", (64, 64)), exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert picture.thumbnail(data, 32).orientation == 1


@pytest.mark.parametrize("data", [b"no image", encoded(halves("RGB", (64, 64)))[:300]], ids=["none", "cut off"])
def test_what_does_not_decode_is_said(data: bytes) -> None:
    with pytest.raises(ValueError, match="does not decode"):
        picture.thumbnail(data, 32)


def test_an_image_of_more_pixels_than_can_be_decoded_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(ValueError, match="64x64 pixels"):
        picture.thumbnail(encoded(halves("RGB", (64, 64))), 32)
