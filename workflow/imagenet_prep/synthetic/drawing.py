"""Draws an image and encodes it as the kind of file that it is to be.

The background is pale in the colour of the class, the objects are dark, in the opposite colour and in a shape of the
class, and the text says the class's words, its WNID and the number in the file name. So a person sees at once whether a
label or a box belongs to the image.
"""

from __future__ import annotations

import colorsys
import io
from functools import cache

import PIL.Image
from PIL import ImageDraw, ImageFont

from imagenet_prep.synthetic.layout import caption_height
from imagenet_prep.synthetic.model import Image, Kind, Rectangle

Color = tuple[int, int, int]

_MODES = {
    Kind.GRAYSCALE: "L",
    Kind.CMYK: "CMYK",
    Kind.CMYK_INVERTED: "CMYK",
    Kind.PNG_RGBA: "RGBA",
}
_QUALITY = 90
_ORIENTATION = 0x0112  # EXIF tag
_APP14 = b"\xff\xee\x00\x0eAdobe"
_GOLDEN = 0.6180339887498949

# Corners as shares of the box: each shape touches all four sides and covers the middle.
_SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),  # an ellipse
    ((0, 0), (1, 0), (1, 1), (0, 1)),
    ((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)),
    ((0.5, 0), (1, 1), (0, 1)),
    ((0, 0), (1, 0), (0.5, 1)),
    ((0.3, 0), (0.7, 0), (0.7, 0.3), (1, 0.3), (1, 0.7), (0.7, 0.7),
     (0.7, 1), (0.3, 1), (0.3, 0.7), (0, 0.7), (0, 0.3), (0.3, 0.3)),
    ((0.25, 0), (0.75, 0), (1, 0.5), (0.75, 1), (0.25, 1), (0, 0.5)),
    ((0.5, 0), (0.7, 0.3), (1, 0.5), (0.7, 0.7), (0.5, 1), (0.3, 0.7), (0, 0.5), (0.3, 0.3)),
    ((0, 0.3), (0.6, 0.3), (0.6, 0), (1, 0.5), (0.6, 1), (0.6, 0.7), (0, 0.7)),
)  # fmt: skip


def background_color(index: int) -> Color:
    """RGB of the background of a class."""
    return _rgb(index * _GOLDEN % 1, 0.4, 0.95)


def object_color(index: int) -> Color:
    """RGB of the objects of a class."""
    return _rgb((index * _GOLDEN + 0.5) % 1, 0.85, 0.5)


def _rgb(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def encode(image: Image) -> bytes:
    """The bytes of the file."""
    picture = _draw(image)
    buffer = io.BytesIO()
    match image.kind:
        case Kind.PNG | Kind.PNG_RGBA:
            picture.save(buffer, "PNG", compress_level=1)
        case Kind.EXIF:
            exif = PIL.Image.Exif()
            exif[_ORIENTATION] = image.orientation
            picture.save(buffer, "JPEG", quality=_QUALITY, exif=exif)
        case Kind.CMYK:
            picture.save(buffer, "JPEG", quality=_QUALITY)
            return _without_adobe_segment(buffer.getvalue())
        case _:
            picture.save(buffer, "JPEG", quality=_QUALITY, progressive=image.kind is Kind.PROGRESSIVE)
    return buffer.getvalue()


def _draw(image: Image) -> PIL.Image.Image:
    index = image.label.index
    mode = _MODES.get(image.kind, "RGB")
    background = _ink(background_color(index), image.kind, alpha=128)
    picture = PIL.Image.new(mode, (image.width, image.height), background)
    draw = ImageDraw.Draw(picture)
    text = _caption(image)
    size = min(caption_height(image.height) / 3.8, 1.7 * image.width / max(map(len, text)))
    draw.multiline_text(
        (2, 0), "\n".join(text), fill=_ink((0, 0, 0), image.kind), font=_font(max(8, int(size))), spacing=1
    )
    for box in image.objects:
        _shape(draw, box, index, _ink(object_color(index), image.kind))
    return picture


def _caption(image: Image) -> tuple[str, str, str]:
    number = image.filename.removesuffix(".JPEG").rpartition("_")[2]
    return image.label.words, image.label.wnid, number


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _shape(draw: ImageDraw.ImageDraw, box: Rectangle, index: int, ink: int | tuple[int, ...]) -> None:
    corners = _SHAPES[index % len(_SHAPES)]
    if not corners:
        draw.ellipse((box.xmin, box.ymin, box.xmax, box.ymax), fill=ink)
        return
    width, height = box.xmax - box.xmin, box.ymax - box.ymin
    draw.polygon([(round(box.xmin + x * width), round(box.ymin + y * height)) for x, y in corners], fill=ink)


def _ink(color: Color, kind: Kind, alpha: int = 255) -> int | tuple[int, ...]:
    """The colour in the samples that Pillow is to draw with."""
    red, green, blue = color
    match kind:
        case Kind.GRAYSCALE:
            return round(0.299 * red + 0.587 * green + 0.114 * blue)
        case Kind.PNG_RGBA:
            return red, green, blue, alpha
        case Kind.CMYK_INVERTED:
            return _cmyk(color)
        case Kind.CMYK:
            # Pillow always writes CMYK inverted, as Adobe does: drawn inverted, the samples in the file are plain.
            return tuple(255 - sample for sample in _cmyk(color))
    return color


def _cmyk(color: Color) -> tuple[int, ...]:
    """With as much black as the colour allows, so that a reader cannot leave the fourth channel out unnoticed."""
    white = max(color)
    if not white:
        return 0, 0, 0, 255
    return (*(255 - round(255 * sample / white) for sample in color), 255 - white)


def _without_adobe_segment(data: bytes) -> bytes:
    start = data.index(_APP14)
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
