"""The nouns of the made-up ILSVRC2012: classes, images, boxes, annotations. All are known before a byte is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an image file is; all are named .JPEG."""

    RGB = "rgb"
    GRAYSCALE = "grayscale"
    CMYK = "cmyk"  # plain samples, no APP14 segment
    CMYK_INVERTED = "cmyk_inverted"  # as Adobe programs write: inverted samples, APP14 segment
    PNG = "png"  # a PNG file, RGB
    PNG_RGBA = "png_rgba"  # a PNG file with alpha; its background is half transparent
    EXIF = "exif"  # RGB with an EXIF orientation other than 1; drawn upright in the stored pixels
    PROGRESSIVE = "progressive"  # RGB in several scans


class Trouble(StrEnum):
    """What is wrong, or looks wrong, in the XML of an image; at most one a file."""

    REVERSED = "reversed"  # min and max exchanged: usable
    OUTSIDE = "outside"  # wholly outside the image: not usable
    PARTLY_OUTSIDE = "partly_outside"  # reaches over the edge: usable once clipped
    EMPTY = "empty"  # xmin equals xmax: not usable
    OTHER_CLASS = "other_class"  # named as another class: not usable
    BREED = "breed"  # named as a breed instead of a WNID: usable
    PERCENT_NAME = "percent_name"  # <filename> is "%s": usable
    OTHER_SIZE = "other_size"  # <size>, and the boxes with it, are those of an enlarged image: usable
    NO_OBJECTS = "no_objects"  # no box at all
    TWICE = "twice"  # the same box two times: usable


@dataclass(frozen=True, slots=True)
class Synset:
    """A row of `meta.mat`; `children` are ILSVRC2012 IDs, none for a class."""

    ilsvrc2012_id: int
    wnid: str
    words: str
    gloss: str
    children: tuple[int, ...]
    wordnet_height: int
    num_train_images: int


@dataclass(frozen=True, slots=True)
class Class:
    """A class; `index` is its 0-based rank among the sorted WNIDs, `breed` the dog's name as boxes have it, or None."""

    index: int
    ilsvrc2012_id: int
    wnid: str
    words: str
    breed: str | None


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of an image in pixels as stored, 0-based, both ends inclusive."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


@dataclass(frozen=True, slots=True)
class Image:
    """An image to be drawn.

    Attributes:
        split: train, validation, test or train_t3.
        filename: name of the file, without folders.
        label: its class; that of a test image stands nowhere but in its picture.
        width: pixels as stored, whatever an EXIF orientation says.
        height: the same.
        kind: what file it becomes.
        orientation: EXIF orientation, 1 for none.
        objects: the true boxes, which the drawn objects exactly fill; they do not overlap.
    """

    split: str
    filename: str
    label: Class
    width: int
    height: int
    kind: Kind
    orientation: int
    objects: tuple[Rectangle, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """An <object> as written.

    `usable` says whether TensorFlow's script would keep it, `trouble` what is special about it.
    """

    name: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    pose: str
    truncated: int
    trouble: Trouble | None
    usable: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """An XML file as written.

    `path` is its member in the archive, `trouble` what is special about it or one of its boxes.
    """

    path: str
    folder: str
    filename: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """The judgements on one validation image; labels are WNIDs."""

    filename: str
    original: str
    correct: tuple[str, ...]
    wrong: tuple[str, ...]
    unclear: tuple[str, ...]
    problematic: bool
