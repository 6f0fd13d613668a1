"""TFRecord shards with the features of TensorFlow's own scripts, and what TensorFlow Datasets reads beside them.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.engine.step import Config, classes_of
from imagenet_prep.formats import example
from imagenet_prep.products import tfds
from imagenet_prep.products.shards import Row, ShardedProduct

if TYPE_CHECKING:
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.formats.stream import Buffer
    from imagenet_prep.products.audit.examples import Examples
    from imagenet_prep.products.audit.readings import Reading

IMAGE = "image/encoded"
"""The feature that holds the bytes of the image."""


class TFRecord(ShardedProduct):
    """TFRecords of the training and the validation set, a superset of what slim's and the TPU script write."""

    name = "tfrecord"
    version = 1
    section: Mapping[str, Mapping[str, Any]] = {
        "train_shards": {"$ref": "#/$defs/shards", "default": 1024},
        "validation_shards": {"$ref": "#/$defs/shards", "default": 128},
        "label_base": {"description": "0 or 1", "type": "integer", "minimum": 0, "maximum": 1, "default": 1},
    }
    jobs = ("tfrecord_shards",)
    sidecars = tfds.DESCRIPTION

    def description_settings(self, config: Config) -> dict[str, Any]:
        """What the names of the labels follow from."""
        return {"classes": classes_of(config), "label_base": config[self.name]["label_base"]}

    def describe(self, inputs: Inputs) -> None:
        """Write the features, the names of the labels, and the numbers of records."""
        from imagenet_prep.engine.shard_set import files_by_split

        names = tfds.label_names(inputs.numbered_wnids, inputs.settings["label_base"])
        tfds.describe_imagenet(files_by_split(inputs.all_of(self.name)), names, inputs.output_dir / self.path)

    def write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        """A record an image: an Example with the features of `encode_features` and `image/encoded`."""
        from imagenet_prep.formats import tfrecord

        return tfrecord.write_examples(file, ((encode_features(row), image) for row, image in samples), IMAGE)

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a shard with both checksums of every record, and all features."""
        return examples().read(unit, reencoded)


@cache
def examples() -> Examples:
    """The features of a record as the audit reads them."""
    from imagenet_prep.products.audit.examples import Examples, floats, number, numbers, text

    features = {
        "image/filename": ("filename", text),
        "image/class/label": ("label", number),
        "image/class/synset": ("wnid", text),
        "image/class/text": ("text", text),
        "image/width": ("width", number),
        "image/height": ("height", number),
        "image/format": ("format", text),
        "image/object/bbox/label": ("box_labels", numbers),
        **{f"image/object/bbox/{side}": (side, floats) for side in BOX_SIDES},
    }
    return Examples(features, IMAGE, constant={"image/channels": [3], "image/colorspace": [b"RGB"]})


def encode_features(row: Row) -> bytes:
    """All features of an image but `image/encoded`, by name, as both of TensorFlow's scripts define them.

    `image/channels` is 3 and `image/colorspace` RGB for every image, grayscale too, since that is what the decoders of
    training code are asked for; the true values are in `images.parquet`.
    """
    boxes = len(row["xmin"])
    return b"".join(
        [
            _of_class(row["label"], row["wnid"], row["text"]),
            example.bytes_entry("image/filename", row["filename"].encode()),
            example.bytes_entry("image/format", row["format"].encode()),
            _of_side("image/height", row["height"]),
            _of_boxes([row["label"]] * boxes, [row[side] for side in BOX_SIDES]) if boxes else _NO_BOXES,
            _of_side("image/width", row["width"]),
        ]
    )


@lru_cache(maxsize=1 << 10)
def _of_class(label: int, wnid: str, text: str) -> bytes:
    return b"".join(
        [
            example.int64_entry("image/channels", [3]),
            example.int64_entry("image/class/label", [label]),
            example.bytes_entry("image/class/synset", wnid.encode()),
            example.bytes_entry("image/class/text", text.encode()),
            example.bytes_entry("image/colorspace", b"RGB"),
        ]
    )


@lru_cache(maxsize=1 << 12)
def _of_side(key: str, pixels: int) -> bytes:
    return example.int64_entry(key, [pixels])


def _of_boxes(labels: list[int], sides: list[list[float]]) -> bytes:
    entries = [
        example.float_entry(f"image/object/bbox/{side}", values) for side, values in zip(BOX_SIDES, sides, strict=True)
    ]
    return b"".join([example.int64_entry("image/object/bbox/label", labels), *entries])


_NO_BOXES = _of_boxes([], [[]] * len(BOX_SIDES))
