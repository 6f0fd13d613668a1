"""JPEG headers and ends, with Pillow as the judge of sizes and colours."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from builders import image
from imagenet_prep.formats import jpeg

COLORSPACES = {"L": "Grayscale", "RGB": "RGB", "CMYK": "CMYK"}
HEADER = b"\xff\xd8"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def frame(width: int, height: int, channels: int, marker: int = 0xC0) -> bytes:
    sizes = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return segment(marker, b"\x08" + sizes + bytes([channels]) + bytes(3 * channels))


def with_segment(data: bytes, extra: bytes) -> bytes:
    return data[:2] + extra + data[2:]


def thumbnail() -> bytes:
    """An EXIF segment that holds a whole JPEG image."""
    return segment(0xE1, b"Exif\0\0" + image(9, (8, 8)))


@pytest.mark.parametrize("mode", COLORSPACES)
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}, {"optimize": True}])
@pytest.mark.parametrize("size", [(1, 1), (500, 375), (17, 300)])
def test_the_header_is_what_pillow_reads(mode: str, how: dict[str, Any], size: tuple[int, int]) -> None:
    data = image(0, size, mode, **how)
    pillow = Image.open(io.BytesIO(data))
    assert jpeg.parse(data) == (*pillow.size, len(pillow.getbands()), COLORSPACES[pillow.mode])


def test_a_memoryview_is_read_like_bytes() -> None:
    data = memoryview(image(0, (30, 20)))
    assert jpeg.parse(data) == (30, 20, 3, "RGB")
    assert jpeg.has_end(data)


def test_the_size_of_a_thumbnail_is_not_that_of_the_image() -> None:
    assert jpeg.parse(with_segment(image(0, (30, 20)), thumbnail()))[:2] == (30, 20)


@pytest.mark.parametrize(
    ("marker", "channels", "scans"), [(0xC0, 3, 1), (0xC1, 3, 1), (0xC0, 1, 5), (0xC2, 3, 5), (0xC2, 1, 5)]
)
def test_scans_are_one_where_the_first_has_all_and_is_not_progressive(marker: int, channels: int, scans: int) -> None:
    scan = segment(0xDA, bytes([channels]) + bytes(2 * channels + 3))
    assert jpeg.scans(HEADER + frame(8, 8, 3, marker) + scan * 5) == scans


def test_a_decoder_goes_through_no_scan_behind_that_of_a_sequential_image_but_ends_there() -> None:
    one, other = image(0, (64, 48)), image(1, (64, 48))
    both = one[:-2] + other[other.rindex(jpeg.SCAN) :]
    assert both.count(jpeg.SCAN) == 2
    assert jpeg.scans(both) == 1
    with pytest.raises(OSError, match="broken data stream"):
        Image.open(io.BytesIO(both)).load()


def test_an_exif_orientation_changes_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert jpeg.parse(image(0, (30, 20), exif=exif))[:2] == (30, 20)


@pytest.mark.parametrize("junk", [b"\xff\xff\xff", b"\0\0\0", b"junk", b"\xff\x00"])
def test_bytes_between_segments_are_passed_over_as_pillow_does(junk: bytes) -> None:
    data = with_segment(image(0, (30, 20)), segment(0xFE, b"comment") + junk)
    assert Image.open(io.BytesIO(data)).size == (30, 20)
    assert jpeg.parse(data)[:2] == (30, 20)


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCF])
def test_frames_of_every_coding_are_read(marker: int) -> None:
    assert jpeg.parse(HEADER + frame(640, 480, 3, marker)) == (640, 480, 3, "RGB")


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_tables_that_are_numbered_like_frames_are_none(marker: int) -> None:
    assert jpeg.parse(HEADER + frame(1, 2, 3, marker) + frame(640, 480, 1)) == (640, 480, 1, "Grayscale")


@pytest.mark.parametrize(
    ("width", "height", "channels"), [(0, 10, 3), (10, 0, 3), (10, 10, 0), (10, 10, 2), (10, 10, 5)]
)
def test_a_frame_that_makes_no_sense_is_an_error(width: int, height: int, channels: int) -> None:
    with pytest.raises(ValueError, match="its JPEG header gives"):
        jpeg.parse(HEADER + frame(width, height, channels))


def test_a_header_cut_off_before_the_end_of_its_frame_is_an_error() -> None:
    data = image(0, (30, 20))
    end = data.index(b"\xff\xc0") + 10
    for cut in range(3, end):
        with pytest.raises(ValueError, match="without a frame"):
            jpeg.parse(data[:cut])
    assert jpeg.parse(data[:end])[:2] == (30, 20)


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff\xd9", HEADER + segment(0xDA, bytes(10)) + frame(1, 1, 1), HEADER + b"\xff\xe0\x00\x01"]
)
def test_an_image_without_a_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="without a frame"):
        jpeg.parse(data)


@pytest.mark.parametrize("filling", [segment(0xFE, b"") * (1 << 20), segment(0xFE, b"") + bytes(1 << 20)])
def test_a_header_of_a_million_segments_or_bytes_between_them_is_not_read_to_its_end(filling: bytes) -> None:
    with pytest.raises(ValueError, match="without a frame"):
        jpeg.parse(HEADER + filling + frame(640, 480, 3))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_header_or_a_value_error(data: bytes) -> None:
    try:
        width, height, channels, _ = jpeg.parse(jpeg.SIGNATURE + data)
    except ValueError:
        return
    assert width > 0
    assert height > 0
    assert channels in (1, 3, 4)


@pytest.mark.parametrize("how", [{}, {"progressive": True}])
@pytest.mark.parametrize("garbage", [b"", b"\0", b"\xff\xff", b"trailing garbage" * 100])
def test_the_end_is_found_whatever_follows_it(how: dict[str, Any], garbage: bytes) -> None:
    assert jpeg.has_end(image(0, (60, 40), **how) + garbage)


@pytest.mark.parametrize("how", [{}, {"progressive": True}])
@pytest.mark.parametrize("extra", [b"", thumbnail()], ids=["no thumbnail", "thumbnail"])
def test_an_image_cut_off_anywhere_has_no_end(how: dict[str, Any], extra: bytes) -> None:
    data = with_segment(image(0, (60, 40), **how), extra)
    for cut in range(len(extra) + 3, len(data)):
        assert not jpeg.has_end(data[:cut]), cut


def test_pillow_writes_the_adobe_marker_into_cmyk_images() -> None:
    assert jpeg.has_adobe_marker(image(mode="CMYK"))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_image_without_an_adobe_marker_has_none(mode: str) -> None:
    assert not jpeg.has_adobe_marker(image(mode=mode))


def test_another_program_s_segment_of_the_same_number_is_no_adobe_marker() -> None:
    assert not jpeg.has_adobe_marker(with_segment(image(), segment(0xEE, b"Acorn" + bytes(7))))


def test_the_word_adobe_in_another_segment_is_no_adobe_marker() -> None:
    assert not jpeg.has_adobe_marker(with_segment(image(), segment(0xE1, segment(0xEE, b"Adobe" + bytes(7)))))


def test_real_images_are_as_pillow_reads_them(shared_data: Any) -> None:
    for path in sorted((shared_data / "images" / "val").glob("*.JPEG")):
        data = path.read_bytes()
        pillow = Image.open(path)
        assert jpeg.parse(data) == (*pillow.size, len(pillow.getbands()), COLORSPACES[pillow.mode])
        assert jpeg.has_end(data)
