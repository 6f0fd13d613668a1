"""An image file's header, JPEG or PNG by its content; re-encoding where an image has to be, and thumbnails."""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import TYPE_CHECKING, NamedTuple

from imagenet_prep.formats import jpeg, png
from imagenet_prep.formats.stream import Buffer

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64 << 20
_MAX_WORK = 1 << 30  # pixels, counted once a scan: a progressive JPEG can have thousands of scans of a few bytes
_ORIENTATION = 0x0112  # of EXIF


class Thumbnail(NamedTuple):
    """An image made small.

    Attributes:
        image: RGB, the pixels as they are stored, not turned as the EXIF orientation says.
        orientation: that of EXIF, 1 ... 8; 1 where there is none.
    """

    image: Image.Image
    orientation: int


class Header(NamedTuple):
    """What the first bytes of an image tell.

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: 1 to 4.
        format: "JPEG" or "PNG".
        colorspace: "RGB", "Grayscale", "CMYK" or "RGBA".
    """

    width: int
    height: int
    channels: int
    format: str
    colorspace: str


def identify(data: Buffer) -> Header:
    """Read the header of a whole image file and look that its end is there.

    Only a JPEG without an end marker is decoded, to see whether it holds every line all the same.

    Raises:
        ValueError: empty, no image, or cut off; the text is the end of a sentence about it.
    """
    if not len(data):
        raise ValueError("the image is empty (0 bytes)")
    start = bytes(data[:8])
    if start.startswith(jpeg.SIGNATURE):
        width, height, channels, colorspace = jpeg.parse(data)
        if not jpeg.has_end(data) and not _has_all_lines(data):
            raise ValueError("the JPEG image is cut off: its end marker is missing and its last lines do not decode")
        return Header(width, height, channels, "JPEG", colorspace)
    if start == png.SIGNATURE:
        width, height, channels, colorspace = png.parse(data)
        if not png.has_end(data):
            raise ValueError("the PNG image is cut off: its end chunk is missing")
        return Header(width, height, channels, "PNG", colorspace)
    raise ValueError(f"this is no image: it begins with {start!r}, neither JPEG nor PNG")


def to_rgb_jpeg(data: Buffer) -> bytes:
    """The image as a three-channel JPEG of quality 100, without its metadata, as TensorFlow's scripts make it.

    CMYK samples are taken as inverted if and only if the file carries Adobe's marker, which is what libjpeg's users
    (TensorFlow's decoder too) do; alpha is dropped.

    Raises:
        ValueError: it does not decode, or has more pixels, or scans of them, than this program decodes.
    """
    output = io.BytesIO()
    _to_rgb(_open(data), data).save(output, "JPEG", quality=100, comment=b"")
    return output.getvalue()


def thumbnail(data: Buffer, side: int) -> Thumbnail:
    """The image, at most `side` pixels wide and high; of a JPEG, decoded as small as that, perhaps a 32nd less.

    Raises:
        ValueError: it does not decode, or has more pixels, or scans of them, than this program decodes.
    """
    from PIL import Image

    image = _open(data, side)
    small = _to_rgb(image, data)
    small.thumbnail((side, side), Image.Resampling.BILINEAR)  # two thirds of the time of Pillow's default
    return Thumbnail(small, _orientation(image))


def _orientation(image: Image.Image) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            orientation = image.getexif().get(_ORIENTATION, 1)
        except Exception:  # damaged EXIF, of which Pillow's parser raises many kinds, hinders nobody
            return 1
    return orientation if orientation in range(1, 9) else 1


def _to_rgb(image: Image.Image, data: Buffer) -> Image.Image:
    import numpy as np
    from PIL import Image, ImageChops

    if image.mode == "CMYK" and not jpeg.has_adobe_marker(data):
        image = ImageChops.invert(image)  # Pillow inverts every CMYK JPEG
    if image.mode.startswith("I"):  # 16-bit grayscale: the high byte counts
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _open(data: Buffer, side: int | None = None) -> Image.Image:
    """The image, decoded; a JPEG only as large as a thumbnail of `side` pixels needs, where that is given."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
            pixels = image.width * image.height
            scans = jpeg.scans(bytes(data))
            if pixels <= MAX_PIXELS and pixels * scans <= _MAX_WORK:
                if side is not None:
                    # Decoded 2, 4 or 8 times smaller: 4 times, the usual 500 pixels are 125, and need no resizing.
                    enough = side * 31 / 32 / max(image.size)
                    image.draft(None, (int(image.width * enough) or 1, int(image.height * enough) or 1))
                image.load()
        except UnidentifiedImageError as error:
            raise ValueError("the image does not decode (its header is damaged)") from error
        except Exception as error:  # the errors of Pillow's parsers on damaged files are of many kinds
            raise ValueError(f"the image does not decode ({error})") from error
    if pixels > MAX_PIXELS:
        raise ValueError(f"the image has {image.width}x{image.height} pixels, more than this program decodes")
    if pixels * scans > _MAX_WORK:
        raise ValueError(f"the image has {image.width}x{image.height} pixels in {scans} scans, which is no photograph")
    return image


def _has_all_lines(data: Buffer) -> bool:
    """Whether a JPEG image without an end marker lacks nothing but that.

    Then the decoder asks for no more bytes than are there, so that it does not matter which ones come behind them.
    """
    try:
        first, second = (
            hashlib.sha256(_open(bytes(data) + filling * 64 + jpeg.END_OF_IMAGE).tobytes()).digest()
            for filling in (b"\x00", b"\xaa")
        )
    except ValueError:
        return False
    return first == second
