"""One pass over the table of images: what there is in figures, and which images are odd."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.engine.image_reader import ImageReader
from imagenet_prep.report.statistics import Histogram

COLUMNS = (
    "split",
    "filename",
    "wnid",
    "archive",
    "offset",
    "length",
    "width",
    "height",
    "format",
    "colorspace",
)
_LONGEST_SIDE = 1 << 16  # pixels
_EXTREMES = 8  # images at each end of an order
_ODD = 40  # images of each odd kind


class Picture(NamedTuple):
    """A row of the table of images: the columns `COLUMNS`."""

    split: str
    filename: str
    wnid: str | None
    archive: str
    offset: int
    length: int
    width: int
    height: int
    format: str
    colorspace: str


@dataclass(frozen=True)
class Extreme:
    """The images that come first in an order: `by` is "pixels" or "length", `order` ascending or descending."""

    name: str
    by: str
    order: str


EXTREMES = (
    Extreme("largest", "pixels", "descending"),
    Extreme("smallest", "pixels", "ascending"),
    Extreme("most bytes", "length", "descending"),
    Extreme("fewest bytes", "length", "ascending"),
)


@dataclass
class Survey:
    """What the table of images says of some splits.

    Attributes:
        images: their number by split.
        nbytes: of the image files, by split.
        of_class: numbers of images by split and WNID.
        kinds: numbers of images by split and (format, colorspace).
        width, height, ratio, size: histograms; a series is a split.
        odd: by "CMYK" and "PNG", the first images of that kind, in the table's order.
        extremes: the first images in each of the orders of `EXTREMES`, by its name.
    """

    images: dict[str, int]
    nbytes: dict[str, int]
    of_class: dict[str, Counter[str]]
    kinds: dict[str, Counter[tuple[str, str]]]
    width: Histogram = field(default_factory=lambda: Histogram(1, _LONGEST_SIDE))
    height: Histogram = field(default_factory=lambda: Histogram(1, _LONGEST_SIDE))
    ratio: Histogram = field(default_factory=lambda: Histogram(0.01, 1000))
    size: Histogram = field(default_factory=lambda: Histogram(16, 1 << 20))
    odd: dict[str, list[Picture]] = field(default_factory=lambda: {"CMYK": [], "PNG": []})
    extremes: dict[str, list[Picture]] = field(default_factory=dict)

    @property
    def odd_pictures(self) -> list[Picture]:
        """All of `odd` and `extremes`; one that is odd in several ways is there several times."""
        return [it for pictures in (*self.odd.values(), *self.extremes.values()) for it in pictures]

    @property
    def odd_count(self) -> dict[str, int]:
        """How many images are in CMYK, and how many are PNG files, whether they are in `odd` or not."""
        kinds = sum(self.kinds.values(), Counter())
        return {
            "CMYK": sum(count for (_, colorspace), count in kinds.items() if colorspace == "CMYK"),
            "PNG": sum(count for (kind, _), count in kinds.items() if kind == "PNG"),
        }

    def add(self, split: str, images: pa.Table) -> None:
        """Count some images of a split, columns `COLUMNS`."""
        self.images[split] += len(images)
        self.nbytes[split] += pc.sum(images["length"]).as_py() or 0
        wnids = pc.value_counts(images["wnid"]).to_pylist()
        self.of_class[split].update({it["values"]: it["counts"] for it in wnids if it["values"]})
        kinds = (
            images.select(["format", "colorspace"]).group_by(["format", "colorspace"]).aggregate([([], "count_all")])
        )
        self.kinds[split].update({(it["format"], it["colorspace"]): it["count_all"] for it in kinds.to_pylist()})
        width, height = (images[name].to_numpy() for name in ("width", "height"))
        self.width.add(split, width)
        self.height.add(split, height)
        self.ratio.add(split, width / height)
        self.size.add(split, images["length"].to_numpy())
        for name, column in (("CMYK", "colorspace"), ("PNG", "format")):
            found = images.filter(pc.equal(images[column], name))
            self.odd[name] += rows(found.slice(0, max(0, _ODD - len(self.odd[name]))))
        self._add_extremes(images)

    def _add_extremes(self, images: pa.Table) -> None:
        pixels = pc.multiply(images["width"].cast(pa.int64()), images["height"].cast(pa.int64()))
        table = images.select(list(COLUMNS)).append_column("pixels", pixels)
        for extreme in EXTREMES:
            keys = [(extreme.by, extreme.order), ("split", "ascending"), ("filename", "ascending")]
            first = table.take(pc.select_k_unstable(table, min(_EXTREMES, len(table)), keys))
            candidates = self.extremes.get(extreme.name, []) + rows(first)
            sign = 1 if extreme.order == "ascending" else -1
            candidates.sort(key=lambda it: (sign * _measure(it, extreme.by), it.split, it.filename))
            self.extremes[extreme.name] = candidates[:_EXTREMES]


def survey(table: Path, splits: list[str]) -> Survey:
    """Read the table of images, of these splits, some row groups at a time.

    Raises:
        PrepError: the table is missing or damaged.
    """
    found = Survey(
        images=dict.fromkeys(splits, 0),
        nbytes=dict.fromkeys(splits, 0),
        of_class={split: Counter() for split in splits},
        kinds={split: Counter() for split in splits},
    )
    for split in splits:
        for part in ImageReader(table, split).parts(COLUMNS):
            found.add(split, part)
    return found


def rows(table: pa.Table) -> list[Picture]:
    """The rows of a table with the columns `COLUMNS`."""
    return [Picture(**row) for row in table.select(list(COLUMNS)).to_pylist()]


def _measure(picture: Picture, by: str) -> int:
    return picture.length if by == "length" else picture.width * picture.height
