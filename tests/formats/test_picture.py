"""Images of either format: identified by their content, and re-encoded as TensorFlow's decoder sees them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from builders import image
from imagenet_prep.formats import picture
from imagenet_prep.formats.picture import Header, identify, to_rgb_jpeg

Pixels = npt.NDArray[np.int64]


def smooth(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Colours that JPEG keeps to within a few steps."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    return Image.fromarray(np.stack([x, y, (x + y) / 2], -1).astype(np.uint8)).convert(mode)


def encoded(pixels: Image.Image, form: str = "JPEG", **how: Any) -> bytes:
    output = io.BytesIO()
    pixels.save(output, form, **how)
    return output.getvalue()


def decoded(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data))).astype(np.int64)


def without_adobe_marker(data: bytes) -> bytes:
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


@pytest.mark.parametrize(
    ("mode", "form", "header"),
    [
        ("RGB", "JPEG", Header(31, 17, 3, "JPEG", "RGB")),
        ("L", "JPEG", Header(31, 17, 1, "JPEG", "Grayscale")),
        ("CMYK", "JPEG", Header(31, 17, 4, "JPEG", "CMYK")),
        ("RGB", "PNG", Header(31, 17, 3, "PNG", "RGB")),
        ("P", "PNG", Header(31, 17, 3, "PNG", "RGB")),
        ("RGBA", "PNG", Header(31, 17, 4, "PNG", "RGBA")),
    ],
)
def test_an_image_is_known_by_its_content(mode: str, form: str, header: Header) -> None:
    assert identify(image(0, (31, 17), mode, form)) == header


@pytest.mark.parametrize("content", [b"", b"\0", b"GIF89a" + bytes(50), b"<html>", b"\xff\xd8", b"\x89PNG"])
def test_what_is_no_image_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"empty|no image"):
        identify(content)


@pytest.mark.parametrize("how", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "make", [image, lambda *arguments, **how: encoded(smooth(arguments[2]), **how)], ids=["noise", "smooth"]
)
def test_an_image_that_lacks_its_end_marker_alone_is_whole(make: Any, mode: str, how: dict[str, Any]) -> None:
    assert identify(make(0, (64, 48), mode, **how)[:-2]).format == "JPEG"


@pytest.mark.parametrize("how", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("missing", [6, 20, 100, 500])
def test_an_image_that_lacks_lines_is_cut_off(mode: str, how: dict[str, Any], missing: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|without a frame"):
        identify(image(0, (64, 48), mode, **how)[: -2 - missing])


def test_a_png_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(ValueError, match="cut off"):
        identify(image(form="PNG")[:-13])


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_garbage_behind_the_end_is_accepted(form: str) -> None:
    assert identify(image(form=form) + b"garbage \xff\xda garbage" * 20).format == form


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_corrupt_image_is_identified_or_a_value_error(data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(["L", "RGB", "CMYK"]))
    content = bytearray(image(0, (24, 16), mode, progressive=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        identify(bytes(content[: data.draw(st.integers(0, len(content)))]))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_corrupt_image_is_re_encoded_or_a_value_error(data: st.DataObject) -> None:
    form, mode = data.draw(st.sampled_from([("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA")]))
    content = bytearray(image(0, (24, 16), mode, form))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        to_rgb_jpeg(bytes(content[: data.draw(st.integers(0, len(content)))]))


# Re-encoding


@pytest.mark.parametrize(
    ("mode", "form"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG")],
)
def test_every_kind_of_image_becomes_an_rgb_jpeg_of_its_size(mode: str, form: str) -> None:
    result = Image.open(io.BytesIO(to_rgb_jpeg(encoded(smooth(mode), form))))
    assert (result.format, result.mode, result.size) == ("JPEG", "RGB", (64, 48))


def test_a_png_keeps_its_colours() -> None:
    assert np.abs(decoded(to_rgb_jpeg(encoded(smooth(), "PNG"))) - np.asarray(smooth()).astype(int)).mean() < 2


def test_of_16_bits_the_high_byte_counts() -> None:
    gray = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    result = decoded(to_rgb_jpeg(encoded(Image.fromarray(gray), "PNG")))
    assert np.abs(result[..., 0] - (gray >> 8)).max() <= 3


def test_the_same_image_is_re_encoded_as_the_same_bytes() -> None:
    assert to_rgb_jpeg(encoded(smooth("CMYK"))) == to_rgb_jpeg(encoded(smooth("CMYK")))


@pytest.mark.parametrize("adobe", [True, False], ids=["with Adobe's marker", "without"])
def test_cmyk_is_inverted_with_the_adobe_marker_and_not_without(adobe: bool) -> None:
    # What is in the file: with Adobe's marker 255 stands for no ink, as Pillow writes it.
    data = encoded(smooth("CMYK"), quality=100, subsampling=0)
    ink = decoded(data)
    if not adobe:
        data, ink = without_adobe_marker(data), 255 - ink
    expected = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    assert np.abs(decoded(to_rgb_jpeg(data)) - expected).mean() < 3


def test_no_metadata_are_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(smooth("CMYK"), exif=exif, comment=b"a comment", icc_profile=b"a profile" * 20, dpi=(300, 300))
    result = Image.open(io.BytesIO(to_rgb_jpeg(data)))
    assert {"exif", "comment", "icc_profile", "dpi"}.isdisjoint(result.info)
    assert result.size == (64, 48)


@pytest.mark.parametrize(
    "content", [b"", b"no image", image()[:300], image(form="PNG")[:200], encoded(smooth("L"), "GIF")]
)
def test_what_does_not_decode_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="does not decode"):
        to_rgb_jpeg(content)


def test_an_image_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 100)
    with pytest.raises(ValueError, match="24x16 pixels"):
        to_rgb_jpeg(image())


def test_an_image_of_thousands_of_scans_is_not_decoded() -> None:
    content = encoded(smooth("CMYK", (1000, 800)), progressive=True)
    last = content.rindex(b"\xff\xda")
    scan = content[last : last + 2 + int.from_bytes(content[last + 2 : last + 4], "big")]
    with pytest.raises(ValueError, match=r"1000x800 pixels in 20\d\d scans"):
        to_rgb_jpeg(content[:-2] + (scan + b"\0") * 2000 + b"\xff\xd9")
