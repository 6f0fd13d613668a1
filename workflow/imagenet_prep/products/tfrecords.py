"""TFRecord shards straight from the archives: byte ranges in, framed `tf.train.Example` records out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.extraction import extract
from imagenet_prep.dataset.names import BOX_SIDES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet, picture, tfrecord
from imagenet_prep.formats.gathering import GatheringWriter
from imagenet_prep.formats.stream import Buffer
from imagenet_prep.products.shardset import ShardSet
from imagenet_prep.progress import Progress

WINDOW = 160 << 20
"""Bytes of images held at once: a shard of the real set is read in one sweep, and a larger one stays bounded."""


@dataclass(frozen=True)
class Reencoding:
    """Which of the odd images are stored again as RGB JPEG of quality 100."""

    cmyk: bool = True
    png: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Reencoding:
        """What the configuration's `tfrecord` asks for."""
        return cls(settings["cmyk_to_rgb"], settings["png_to_jpeg"])

    def wanted(self, row: dict[str, Any]) -> bool:
        """Whether the image of this row of the plan is one of them."""
        return (self.cmyk and row["colorspace"] == "CMYK") or (self.png and row["format"] == "PNG")


@dataclass(frozen=True)
class Layout:
    """What a record is made of.

    Attributes:
        encode: gives all encoded features of a row but the image.
        image: the name of the feature that holds the image.
    """

    encode: Callable[[dict[str, Any]], bytes]
    image: str


def write_shards(
    plan: Path, shards: ShardSet, first: int, last: int, archive: Path, reencoding: Reencoding
) -> dict[str, Any]:
    """Write the shards `first` … `last` of a split; return what the receipt says of each file.

    Args:
        plan: the split's plan (`shards.write_plan`), a row group a shard.
        shards: all of the split.
        first: the first shard.
        last: the last one.
        archive: in which all images of the split lie.
        reencoding: which images are stored in another form.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    file = parquet.open_table(plan)
    paths, names = shards.paths(), shards.names()
    sizes = parquet.read_groups(file, plan, range(first, last + 1), ["nbytes"])["nbytes"].to_pylist()
    progress = Progress(f"writing {shards.split} shards {first} to {last}", sum(sizes), images=len(sizes))
    written = {}
    for shard in range(first, last + 1):
        rows = parquet.read_groups(file, plan, [shard]).to_pylist()
        written[names[shard]] = write_shard(paths[shard], rows, archive, reencoding, IMAGENET)
        progress.advance(sum(row["nbytes"] for row in rows), images=len(rows))
    return {"files": written}


def write_shard(
    path: Path, rows: list[dict[str, Any]], archive: Path, reencoding: Reencoding, layout: Layout
) -> dict[str, Any]:
    """Write one shard, a record a row in their order; return its `records`, `bytes` and `crc32c`, in hexadecimal.

    Raises as `write_shards`.
    """
    with atomic.replacing(path) as partial, open(partial, "wb", buffering=0) as file:
        output = GatheringWriter(file)
        for row, image in _images(rows, archive):
            _write_record(output, row, image, reencoding, archive, layout)
        output.flush()
        return {"records": len(rows), "bytes": output.nbytes, "crc32c": f"{output.crc32c:08x}"}


def _write_record(
    output: GatheringWriter,
    row: dict[str, Any],
    image: Buffer,
    reencoding: Reencoding,
    archive: Path,
    layout: Layout,
) -> None:
    if reencoding.wanted(row):
        try:
            image = picture.to_rgb_jpeg(bytes(image))
        except ValueError as error:
            raise PrepError(
                archive,
                str(error),
                "The archive is as it was scanned, so this image was always broken: report it",
                member=row["filename"],
                offset=row["offset"],
            ) from error
        row = {**row, "format": "JPEG"}
    prefix = example.around(layout.encode(row), layout.image, len(image))
    header, footer = tfrecord.frame((prefix, image))
    output.write(header, prefix, image, footer)


def encode_features(row: dict[str, Any]) -> bytes:
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

IMAGENET = Layout(encode_features, "image/encoded")


def _images(rows: list[dict[str, Any]], archive: Path) -> Iterator[tuple[dict[str, Any], Buffer]]:
    """The rows with their image bytes, in their order; read in windows, within each by ascending offset."""
    start = 0
    while start < len(rows):
        stop, held = start, 0
        while stop < len(rows) and (stop == start or held + rows[stop]["nbytes"] <= WINDOW):
            held += rows[stop]["nbytes"]
            stop += 1
        window = rows[start:stop]
        images: list[Buffer] = [b""] * len(window)
        for position, data in extract(archive, window):
            # Read by itself, an image is kept as it came; one out of a larger read is copied, so that the rest can go.
            alone = isinstance(data.obj, bytes) and len(data.obj) == len(data)
            images[position] = data if alone else bytes(data)
        yield from zip(window, images, strict=True)
        start = stop
