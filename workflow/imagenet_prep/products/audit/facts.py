"""What the audit compares products with: the labels and the tables of images and boxes in the output folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.image_reader import ImageReader
from imagenet_prep.engine.receipts import STATE
from imagenet_prep.engine.table_steps import BOXES
from imagenet_prep.engine.tables import table_of
from imagenet_prep.products import bboxes, image_table, labels

CLASSES = pa.schema(
    [
        ("class_index", pa.int64()),
        ("wnid", pa.string()),
        ("ilsvrc2012_id", pa.int64()),
        ("tf_label", pa.int64()),
        ("words", pa.string()),
        ("num_train_images", pa.int64()),
    ]
)
VALIDATION_LABELS = pa.schema([("filename", pa.string()), ("wnid", pa.string()), ("class_index", pa.int64())])


class Facts:
    """The labels and tables that products are compared with; each is read when it is first asked for.

    Attributes:
        config: the configuration, complete.
        splits: names of the data set's splits whose archives are in use.
    """

    def __init__(self, config: Mapping[str, Any], splits: Sequence[str]) -> None:
        self.config, self.splits = config, list(splits)
        self._images: dict[str | None, ImageReader] = {}
        self._reencoded: dict[str, frozenset[str]] = {}

    @property
    def dataset(self) -> Dataset:
        """The data set."""
        return dataset_of(self.config)

    @property
    def output_dir(self) -> Path:
        """The folder that is looked at."""
        return Path(self.config["output_dir"])

    @property
    def labels(self) -> Path:
        """The folder of the labels."""
        return self.output_dir / labels.Labels().path

    @cached_property
    def classes(self) -> pa.Table:
        """`labels/classes.csv`, schema `CLASSES`; raises `pyarrow.ArrowException` where it is not such a table."""
        return _read_csv(self.labels / "classes.csv", CLASSES)

    @cached_property
    def validation_labels(self) -> pa.Table:
        """`labels/val_labels.csv`, schema `VALIDATION_LABELS`; raises likewise."""
        return _read_csv(self.labels / "val_labels.csv", VALIDATION_LABELS)

    def images(self, split: str | None = None) -> ImageReader:
        """The images of a split, or all."""
        if split not in self._images:
            self._images[split] = ImageReader(self.output_dir / image_table.ImageTable().path, split)
        return self._images[split]

    def has_boxes(self, split: str) -> bool:
        """Whether the boxes of a split are in use."""
        return self.dataset.splits[split].boxes in self.config["use"]

    @property
    def box_table(self) -> Path:
        """The table of all boxes, a product."""
        return self.output_dir / bboxes.BBoxes().path

    def boxes(self, split: str) -> Path | None:
        """A table that holds the boxes of a split; an output folder that was copied elsewhere has no `state/`.

        Raises:
            PrepError: it is not as it was made.
        """
        for receipt in sorted((self.output_dir / STATE / BOXES.name).glob(f"{split}.*.json")):
            return table_of(str(receipt))
        return self.box_table if self.box_table.is_file() else None

    def reencoded(self, split: str) -> frozenset[str]:
        """The file names of the images that products in shards hold encoded again."""
        # Decided here again, and not asked of what writes shards: what is audited should not be its own witness.
        if split not in self._reencoded:
            settings = self.config["shards"]
            names: set[str] = set()
            for part in self.images(split).parts(["filename", "colorspace", "format"]):
                cmyk = pc.and_(pc.equal(part["colorspace"], "CMYK"), settings["cmyk_to_rgb"])
                png = pc.and_(pc.equal(part["format"], "PNG"), settings["png_to_jpeg"])
                names.update(part["filename"].filter(pc.or_(cmyk, png)).to_pylist())
            self._reencoded[split] = frozenset(names)
        return self._reencoded[split]


def _read_csv(path: Path, schema: pa.Schema) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(column_types=schema, include_columns=schema.names)
    return pyarrow.csv.read_csv(path, convert_options=options)
