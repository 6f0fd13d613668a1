"""Bounding boxes in the XML of PASCAL VOC ("The PASCAL VOC2012 Development Kit", section 4, Annotation file format)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from xml.parsers import expat

from imagenet_prep.errors import PrepError

_BYTES_LIMIT = 1 << 20
_PATH_LIMIT = 200
_TEXT_LIMIT = 500
_INT32_LIMIT = 1 << 31
_REMEDY = "Get the archive again, or take this member out of it"

# Where each value stands. The parts of a VOC object (a person's head) have boxes too, but deeper: they are passed over.
_FIELDS = {
    "/annotation/folder": "folder",
    "/annotation/filename": "filename",
    "/annotation/size/width": "width",
    "/annotation/size/height": "height",
    "/annotation/object/name": "name",
    "/annotation/object/pose": "pose",
    "/annotation/object/truncated": "truncated",
    "/annotation/object/difficult": "difficult",
    "/annotation/object/bndbox/xmin": "xmin",
    "/annotation/object/bndbox/ymin": "ymin",
    "/annotation/object/bndbox/xmax": "xmax",
    "/annotation/object/bndbox/ymax": "ymax",
}
_OBJECT = "/annotation/object"
_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# The layout of nearly all published files, in which nothing needs an XML parser; all else is left to one.
_TEXT = rb"[ -%%'-;=?-~]{0,%d}" % _TEXT_LIMIT


def _layout(template: bytes) -> re.Pattern[bytes]:
    """A pattern of elements with white space between them, in which TEXT is a value, FLAG and PIXEL whole numbers."""
    pattern = (
        template.replace(b" ", rb"[ \t\r\n]*").replace(b"FLAG", rb"[0-9]{1,9}").replace(b"PIXEL", rb"-?[0-9]{1,9}")
    )
    return re.compile(pattern.replace(b"TEXT", _TEXT))


_HEAD = _layout(
    b"<annotation> <folder>(TEXT)</folder> <filename>(TEXT)</filename> <source> <database>TEXT</database> </source> "
    b"<size> <width>(FLAG)</width> <height>(FLAG)</height> <depth>FLAG</depth> </size> <segmented>FLAG</segmented> "
)
_BODY = _layout(
    b"<object> <name>(TEXT)</name> <pose>(TEXT)</pose> <truncated>(FLAG)</truncated> <difficult>(FLAG)</difficult> "
    b"<bndbox> <xmin>(PIXEL)</xmin> <ymin>(PIXEL)</ymin> <xmax>(PIXEL)</xmax> <ymax>(PIXEL)</ymax> </bndbox> </object> "
)
_TAIL = _layout(b"</annotation> ")


@dataclass(frozen=True, slots=True)
class VocObject:
    """One object and its box.

    Attributes:
        name: what it is, as written; in ImageNet mostly a WNID.
        xmin: left edge in pixels, as written, like the three others: neither ordered nor inside the image.
        ymin: upper edge.
        xmax: right edge.
        ymax: lower edge.
        pose: as written; None where absent or empty, like the two others.
        truncated: 1 where the box does not hold all of the object; None also where the text is no integer.
        difficult: 1 where the object is hard to recognise; None also where the text is no integer.
    """

    name: str
    xmin: int | float
    ymin: int | float
    xmax: int | float
    ymax: int | float
    pose: str | None
    truncated: int | None
    difficult: int | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """One XML file: an image and the objects in it.

    Attributes:
        folder: as written; None where absent or empty.
        filename: as written, in ImageNet without an extension; None where absent or empty.
        width: of the image that the boxes were drawn on, in pixels.
        height: of that image, in pixels.
        objects: in the order of the XML.
    """

    folder: str | None
    filename: str | None
    width: int
    height: int
    objects: tuple[VocObject, ...]


class _RefusedError(Exception):
    """Raised inside the parser's handlers with the problem as its text."""


def parse(xml: bytes, place: str, member: str) -> Annotation:
    """Parse one XML file.

    Args:
        xml: the file's content, in any encoding that it declares.
        place: the archive, for messages.
        member: the file's name in it, for messages.

    Raises:
        PrepError: not well-formed, with a document type or entities (which could read files or fill the memory), too
            big or nested too deep, without a size, or an object without a name or a box of finite numbers.
    """
    if len(xml) > _BYTES_LIMIT:
        problem = f"the XML has {len(xml)} bytes, more than the {_BYTES_LIMIT} that it can have"
        raise PrepError(place, problem, _REMEDY, member=member)
    usual = _parse_usual(xml)
    if usual is not None:
        return usual
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(xml, True)
        return reader.annotation()
    except expat.ExpatError as error:
        problem = f"the XML is malformed in line {error.lineno} ({expat.ErrorString(error.code)})"
    except _RefusedError as error:
        problem = f"line {parser.CurrentLineNumber} of the XML: {error}"
    except (LookupError, ValueError):
        problem = "the XML declares an encoding that does not exist or is not supported"
    raise PrepError(place, problem, _REMEDY, member=member)


def _parse_usual(xml: bytes) -> Annotation | None:
    """The annotation in a file of the usual layout; None if it is laid out otherwise, or anything in it is odd."""
    matched = _HEAD.match(xml)
    if not matched:
        return None
    folder, filename, width, height = matched.groups()
    objects = []
    position = matched.end()
    while matched := _BODY.match(xml, position):
        name, pose, truncated, difficult, xmin, ymin, xmax, ymax = matched.groups()
        name = name.decode().strip()
        if not name:
            return None
        edges = int(xmin), int(ymin), int(xmax), int(ymax)
        objects.append(VocObject(name, *edges, pose.decode().strip() or None, int(truncated), int(difficult)))
        position = matched.end()
    if not _TAIL.fullmatch(xml, position) or not int(width) or not int(height):
        return None
    texts = folder.decode().strip() or None, filename.decode().strip() or None
    return Annotation(*texts, int(width), int(height), tuple(objects))


def _refuse_doctype(*_: object) -> None:
    raise _RefusedError("it declares a document type or entities, which an annotation has no use for")


class _Reader:
    """The handlers of one parser, and what they have seen."""

    __slots__ = ("_fields", "_image", "_objects", "_path", "_text")

    def __init__(self) -> None:
        self._path = ""
        self._text = ""
        self._image: dict[str, str] = {}
        self._objects: list[VocObject] = []
        self._fields = self._image  # of the object that is open, or of the image

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        parent = self._path
        if parent in _FIELDS:
            raise _RefusedError(f"<{tag[:40]}> stands where a value should")
        self._path = path = f"{parent}/{tag}"
        self._text = ""
        if path == _OBJECT:
            self._fields = {}
        elif not parent and tag != "annotation":
            raise _RefusedError(f"its root is <{tag[:40]}>, not <annotation>")
        elif len(path) > _PATH_LIMIT:
            raise _RefusedError("elements are nested too deep, or one's name is too long")

    def characters(self, text: str) -> None:
        self._text += text

    def end(self, tag: str) -> None:
        path = self._path
        field = _FIELDS.get(path)
        if field is not None:
            if field in self._fields:
                raise _RefusedError(f"<{tag}> is there twice")
            if len(self._text) > _TEXT_LIMIT:
                raise _RefusedError(
                    f"<{tag}> holds {len(self._text)} characters, more than the {_TEXT_LIMIT} that it can"
                )
            self._fields[field] = self._text.strip()
        elif path == _OBJECT:
            self._objects.append(_object(self._fields))
            self._fields = self._image
        self._path = path[: -len(tag) - 1]

    def annotation(self) -> Annotation:
        image = self._image
        return Annotation(
            image.get("folder") or None,
            image.get("filename") or None,
            _size(image, "width"),
            _size(image, "height"),
            tuple(self._objects),
        )


def _object(fields: dict[str, str]) -> VocObject:
    name = fields.get("name")
    if not name:
        raise _RefusedError("an object has no name")
    return VocObject(
        name,
        _coordinate(fields, "xmin"),
        _coordinate(fields, "ymin"),
        _coordinate(fields, "xmax"),
        _coordinate(fields, "ymax"),
        fields.get("pose") or None,
        _flag(fields.get("truncated", "")),
        _flag(fields.get("difficult", "")),
    )


def _coordinate(fields: dict[str, str], field: str) -> int | float:
    text = fields.get(field)
    if text is None:
        raise _RefusedError(f"an object has no {field}")
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise _RefusedError(f"{field} is {text[:40]!r}, not a finite number")
    return number


def _size(fields: dict[str, str], field: str) -> int:
    text = fields.get(field)
    if text is None:
        raise _RefusedError(f"the image's size is missing: there is no {field}")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not 0 < number < _INT32_LIMIT or not number.is_integer():
        raise _RefusedError(f"the image's {field} is {text[:40]!r}, not a positive number of pixels")
    return int(number)


def _flag(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) and abs(int(text)) < _INT32_LIMIT else None
