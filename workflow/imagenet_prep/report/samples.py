"""Which images stand for a class, and the sheets of thumbnails, made straight from the archives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from imagenet_prep import atomic
from imagenet_prep.datasets.dataset import Labels, Split, own_splits
from imagenet_prep.engine.image_reader import ImageReader
from imagenet_prep.formats import parquet
from imagenet_prep.formats.byte_ranges import read_ranges
from imagenet_prep.formats.picture import Thumbnail, thumbnail
from imagenet_prep.report.survey import COLUMNS, Picture, rows

SIDE = 128
"""Side of a cell of a sheet in pixels: whole blocks of WebP, so that no thumbnail colours its neighbour."""

A_CLASS = 6
"""How many images stand for a class at the most."""

_OF_OTHERS = 2  # so many are of each split but the first one

_QUALITIES = (50, 40, 30, 15)
_EMPTY = (128, 128, 128)


class Shown(NamedTuple):
    """What became of an image that a thumbnail was made of.

    Attributes:
        picture: the image.
        size: width and height of the thumbnail, None where the image does not decode.
        orientation: that of EXIF, 1 where the image does not decode.
    """

    picture: Picture
    size: tuple[int, int] | None
    orientation: int

    @classmethod
    def of(cls, picture: Picture, thumbnail: Thumbnail | None) -> Shown:
        """What became of this image, None where it does not decode."""
        return cls(picture, thumbnail.image.size, thumbnail.orientation) if thumbnail else cls(picture, None, 1)

    @classmethod
    def parse(cls, record: Sequence[Any]) -> Shown:
        """The same as JSON holds it."""
        picture, size, orientation = record
        return cls(Picture(*picture), tuple(size) if size else None, orientation)


def choose(
    table: Path,
    wnids: Sequence[str],
    splits: Iterable[Split],
    boxes: Mapping[str, Path],
) -> dict[str, list[Picture]]:
    """The samples of each class, evenly spread over its images by name, most of them of the first split.

    Where none of them has a box and another image of these splits has, that one takes the place of its neighbour.

    Args:
        table: the table of images.
        wnids: the WNIDs of the classes.
        splits: the splits in use.
        boxes: paths of the tables of boxes, by split; none where boxes do not matter.

    Raises:
        PrepError: a table is missing or damaged.
    """
    own = own_splits(splits)[: A_CLASS // _OF_OTHERS]
    chosen: dict[str, list[Picture]] = {wnid: [] for wnid in wnids}
    for split in own:
        quota = A_CLASS - _OF_OTHERS * (len(own) - 1) if split is own[0] else _OF_OTHERS
        for wnid, of_class in _by_class(ImageReader(table, split.name), split, wnids):
            chosen[wnid] += rows(of_class.take(pa.array(_evenly(len(of_class), quota))))
    boxed = {split.name: _boxed(path) for split in own if (path := boxes.get(split.name))}
    without = _without_box(chosen, boxed)
    for split in (split for split in own if without and split.name in boxed):
        of_split = boxed[split.name]
        names = of_split.filter(pc.is_in(of_split["image_wnid"], value_set=pa.array(without, pa.string())))
        wanted = sorted(set(names["image_wnid"].to_pylist()))
        for wnid, of_class in _by_class(ImageReader(table, split.name), split, wanted):
            found = of_class.filter(pc.is_in(of_class["filename"], value_set=names["filename"].combine_chunks()))
            if len(found):
                _put_in(chosen[wnid], rows(found.slice(len(found) // 2, 1))[0])
                without.remove(wnid)
    return chosen


def _boxed(boxes: Path) -> pa.Table:
    """The images of a split that have a usable box: filename and image_wnid, a row a box."""
    file = parquet.open_table(boxes)
    columns = ["filename", "image_wnid", "usable"]
    table = parquet.read_groups(file, boxes, range(file.num_row_groups), columns)
    return table.filter(table["usable"]).select(columns[:2])


def _without_box(chosen: Mapping[str, Sequence[Picture]], boxed: Mapping[str, pa.Table]) -> list[str]:
    """The classes of whose samples none has a box."""
    pictures = [it for of_class in chosen.values() for it in of_class]
    having = set()
    for split, table in boxed.items():
        of_split = [it for it in pictures if it.split == split]
        names = pa.array([it.filename for it in of_split], pa.string())
        found = pc.is_in(names, value_set=table["filename"].combine_chunks()).to_pylist()
        having |= {it.wnid for it, has_box in zip(of_split, found, strict=True) if has_box}
    return [wnid for wnid in chosen if wnid not in having]


def _put_in(samples: list[Picture], picture: Picture) -> None:
    """Put a picture in the place of the one of its split that is next to it by name."""
    own = [position for position, it in enumerate(samples) if it.split == picture.split]
    before = [position for position in own if samples[position].filename < picture.filename]
    samples[before[-1] if before else own[0]] = picture


def _by_class(images: ImageReader, split: Split, wnids: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    if split.labels is Labels.LAYOUT:  # large, and laid down class by class
        for wnid in wnids:
            yield wnid, images.of_class(wnid, COLUMNS)
        return
    if not images.groups:
        return
    table = images.read(COLUMNS)
    table = table.take(pc.sort_indices(table, [("wnid", "ascending"), ("filename", "ascending")]))
    numbers = pc.index_in(table["wnid"], value_set=pa.array(wnids, pa.string()))
    for number, wnid in enumerate(wnids):
        yield wnid, table.filter(pc.equal(numbers, number))


def _evenly(count: int, wanted: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """`wanted` of `count` positions, or all where they are fewer, int64 ascending, spread evenly."""
    wanted = min(count, wanted)
    return ((2 * np.arange(wanted) + 1) * count // max(2 * wanted, 1)).astype(np.int64)


@dataclass(frozen=True)
class Sheet:
    """A picture of thumbnails, a row of cells a line.

    Attributes:
        lines: the images.
        columns: how many cells wide the picture is.
        output: the WebP file.
        limit: of its bytes; thumbnails get coarser to keep to it.
    """

    lines: Sequence[Sequence[Picture]]
    columns: int
    output: Path
    limit: int


def make_thumbnails(pictures: Sequence[Picture], archives: Mapping[str, Path]) -> dict[Picture, Thumbnail | None]:
    """A thumbnail of each image, None where it does not decode.

    Args:
        pictures: the images.
        archives: where each archive lies that they are in, by the name that the table of images has for it; "" is the
            folder from which it names other files.

    Raises:
        PrepError: an archive is not there, or shorter than the table says.
    """
    made = {position: _thumbnail(content) for position, content in _contents(pictures, archives)}
    return {it: made[position] for position, it in enumerate(pictures)}


def make_sheet(sheet: Sheet, archives: Mapping[str, Path]) -> list[list[Shown]]:
    """Write a sheet straight from the archives; return what is on each line. Raises as `make_thumbnails`."""
    return write_sheet(sheet, make_thumbnails([it for line in sheet.lines for it in line], archives))


def write_sheet(sheet: Sheet, thumbnails: Mapping[Picture, Thumbnail | None]) -> list[list[Shown]]:
    """Write a sheet of thumbnails that there are; return what is on each line."""
    picture = Image.new("RGB", (SIDE * sheet.columns, SIDE * max(1, len(sheet.lines))), _EMPTY)
    for y, line in enumerate(sheet.lines):
        for x, it in enumerate(line):
            if made := thumbnails[it]:
                picture.paste(_filled(made.image), (x * SIDE, y * SIDE))
    with atomic.replacing(sheet.output) as partial:
        partial.write_bytes(_encode(picture, sheet.limit))
    return [[Shown.of(it, thumbnails[it]) for it in line] for line in sheet.lines]


def _contents(pictures: Sequence[Picture], archives: Mapping[str, Path]) -> Iterator[tuple[int, bytes]]:
    """Position and bytes of each image, archive by archive by ascending offset."""
    for archive in sorted({it.archive for it in pictures}):
        inside = [position for position, it in enumerate(pictures) if it.archive == archive]
        offsets = [pictures[position].offset for position in inside]
        sizes = [pictures[position].length for position in inside]
        file = archives.get(archive) or archives[""] / archive
        for number, content in read_ranges(file, offsets, sizes):
            yield inside[number], bytes(content)


def _thumbnail(content: bytes) -> Thumbnail | None:
    try:
        return thumbnail(content, SIDE)
    except ValueError:
        return None


def _filled(image: Image.Image) -> Image.Image:
    """A whole cell: the last column and row of the image are repeated, since another colour would blur its edges."""
    width, height = image.size
    cell = Image.new("RGB", (SIDE, SIDE))
    cell.paste(image)
    if width < SIDE:
        cell.paste(image.crop((width - 1, 0, width, height)).resize((SIDE - width, height)), (width, 0))
    if height < SIDE:
        cell.paste(cell.crop((0, height - 1, SIDE, height)).resize((SIDE, SIDE - height)), (0, height))
    return cell


def _encode(sheet: Image.Image, limit: int) -> bytes:
    for quality in _QUALITIES:
        buffer = BytesIO()
        sheet.save(buffer, "WEBP", quality=quality, method=2)
        if buffer.tell() <= limit:
            break
    return buffer.getvalue()
