"""What a reader has to find: the images of a split as the tables have them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from PIL import Image as Pillow
from PIL import ImageChops

from project import Project

SIDES = ("xmin", "ymin", "xmax", "ymax")
TOLERANCE = 4.0  # levels of 256, on average over a picture: decoders round differently, and convert CMYK differently


@dataclass(eq=False)
class Image:
    """An image, its class and its boxes.

    Attributes:
        index: the 0-based number of the class.
        content: its bytes in the archive.
        reencoded: whether its record holds another JPEG, since it is CMYK or a PNG.
        boxes: float32, one row a usable box: xmin, ymin, xmax, ymax.
    """

    filename: str
    wnid: str
    index: int
    words: str
    width: int
    height: int
    content: bytes
    reencoded: bool
    boxes: np.ndarray

    @cached_property
    def pixels(self) -> np.ndarray:
        """RGB, uint8 of shape (height, width, 3)."""
        with Pillow.open(io.BytesIO(self.content)) as picture:
            # Only programs by Adobe, who mark their files, store CMYK inverted; Pillow takes it of all.
            upright = picture.mode == "CMYK" and "adobe" not in picture.info
            return np.asarray((ImageChops.invert(picture) if upright else picture).convert("RGB"))

    def looks_like(self, pixels: np.ndarray) -> bool:
        """Whether these pixels, uint8 of shape (height, width, 3), are this picture."""
        same_shape = pixels.shape == (self.height, self.width, 3)
        return same_shape and float(np.abs(pixels.astype(np.int16) - self.pixels).mean()) < TOLERANCE

    def is_content(self, encoded: bytes) -> bool:
        """Whether a record's image is this one: the very bytes, or where it is stored anew, the same picture."""
        if not self.reencoded:
            return encoded == self.content
        with Pillow.open(io.BytesIO(encoded)) as picture:
            return (picture.format, picture.mode) == ("JPEG", "RGB") and self.looks_like(np.asarray(picture))


@dataclass(eq=False)
class Reading:
    """A split of a finished project, to be read.

    Attributes:
        split: train or validation.
    """

    project: Project
    split: str

    @property
    def folder(self) -> str:
        """The name of the split's class folders."""
        return {"train": "train", "validation": "val"}[self.split]

    @cached_property
    def classes(self) -> pd.DataFrame:
        """labels/classes.csv."""
        return pd.read_csv(self.project.results / "labels" / "classes.csv")

    @cached_property
    def images(self) -> dict[str, Image]:
        """All images of the split by file name."""
        tables = self.project.results / "tables"
        rows = pd.read_parquet(tables / "images.parquet").query("split == @self.split")
        boxes = pd.read_parquet(tables / "bboxes.parquet").query("split == @self.split and usable")
        boxes_of = {name: group[list(SIDES)].to_numpy(np.float32) for name, group in boxes.groupby("filename")}
        words = dict(zip(self.classes["wnid"], self.classes["words"], strict=True))
        (archive,) = rows["archive"].unique()
        archived = (self.project.results / "archives" / archive).read_bytes()
        return {
            row.filename: Image(
                filename=row.filename,
                wnid=row.wnid,
                index=int(row.class_index),
                words=words[row.wnid],
                width=row.width,
                height=row.height,
                content=archived[row.offset : row.offset + row.length],
                reencoded=row.colorspace == "CMYK" or row.format == "PNG",
                boxes=boxes_of.get(row.filename, np.zeros((0, 4), np.float32)),
            )
            for row in rows.itertuples(index=False)
        }

    def found(self, names: list[str]) -> list[Image]:
        """The images of these names, which must be all of the split, each once."""
        assert sorted(names) == sorted(self.images)
        return [self.images[name] for name in names]
