"""The audit of TFRecord shards and their indexes, file by file: every record's checksums, and what it holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.dataset.names import BOX_SIDES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, picture, tfrecord
from imagenet_prep.formats.stream import Buffer, Stream
from imagenet_prep.products.audit.report import MOVE_AWAY, Check
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfds import FEATURES, INFO, LABEL_NAMES

_CONSTANT = {"image/channels": [3], "image/colorspace": [b"RGB"]}
FOUND = pa.schema(
    [
        ("filename", pa.string()),
        ("label", pa.int64()),
        ("wnid", pa.string()),
        ("text", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("format", pa.string()),
        ("crc32c", pa.uint32()),
        ("box_labels", pa.list_(pa.int64())),
        *((side, pa.list_(pa.float32())) for side in BOX_SIDES),
    ]
)


@dataclass(frozen=True)
class Shard:
    """What one reading of a shard gave: its records (schema `FOUND`), its SHA-256, and the index that belongs to it."""

    path: Path
    found: pa.Table
    sha256: str
    index: str


def examine_shard(path: Path, reencoded: Collection[str]) -> Shard | PrepError:
    """Read a shard once, front to back.

    Args:
        path: the shard.
        reencoded: names of images whose bytes are not the archive's: these are decoded, to see that they are RGB JPEGs.

    Returns:
        The shard, or the first error in it, where both checksums of a record, its message or its features do not hold.
    """
    place = str(path)
    columns: dict[str, list[Any]] = {name: [] for name in FOUND.names}
    index = []
    try:
        with open(path, "rb", buffering=0) as file, Stream(file, "sha256") as stream:
            for offset, data in tfrecord.records(stream, place):
                index.append(f"{offset} {tfrecord.HEADER_BYTES + len(data) + tfrecord.FOOTER_BYTES}\n")
                try:
                    row = _row(example.decode(data), reencoded)
                except (ValueError, KeyError, IndexError, AttributeError) as error:
                    raise PrepError(
                        place,
                        f"the record that begins here is not what it should be ({error})",
                        tfrecord.REMEDY,
                        offset=offset,
                    ) from error
                for name, value in row.items():
                    columns[name].append(value)
            stream.drain()
            return Shard(path, pa.table(columns, schema=FOUND), stream.hexdigest(), "".join(index))
    except PrepError as error:
        return error
    except OSError as error:
        return PrepError(place, f"it cannot be read ({error.strerror})", tfrecord.REMEDY)


def _row(features: dict[str, Any], reencoded: Collection[str]) -> dict[str, Any]:
    for name, value in _CONSTANT.items():
        if features[name] != value:
            raise ValueError(f"{name} is {features[name]}")
    filename = features["image/filename"][0].decode()
    image = features["image/encoded"][0]
    if filename in reencoded:
        expect_rgb_jpeg(image, filename, features["image/width"][0], features["image/height"][0])
    return {
        "filename": filename,
        "label": features["image/class/label"][0],
        "wnid": features["image/class/synset"][0].decode(),
        "text": features["image/class/text"][0].decode(),
        "width": features["image/width"][0],
        "height": features["image/height"][0],
        "format": features["image/format"][0].decode(),
        "crc32c": crc32c(image),
        "box_labels": features["image/object/bbox/label"],
        **{side: features[f"image/object/bbox/{side}"] for side in BOX_SIDES},
    }


def expect_rgb_jpeg(image: Buffer, filename: str, width: int, height: int) -> None:
    """Raise `ValueError` if a re-encoded image is none by its header, or one of another size in pixels."""
    if picture.identify(image) != (width, height, 3, "JPEG", "RGB"):
        raise ValueError(f"{filename}, re-encoded, is no RGB JPEG of {width}x{height} pixels")


def compare_index(check: Check, shard: Shard, folder: Path, mend: str) -> None:
    """Hold a shard's index file against the offsets that reading the shard gave."""
    check.figures["indexes"] = check.figures.get("indexes", 0) + 1
    path, what = folder / shard.path.name, "its offsets are not those of the shard's records"
    try:
        right = path.read_text(encoding="ascii", errors="replace") == shard.index
    except FileNotFoundError:
        check.add_each("it is missing", [str(path)], mend)
    else:
        check.add_each(what, [] if right else [str(path)], f"rm {{}} && {mend}")


def expected_files(config: dict[str, Any], splits: list[str], product: str) -> set[str]:
    """The names of the files that a product's folder should hold."""
    names = {path.name for split in splits for path in ShardSet.of(config, product, split).paths()}
    return names | ({FEATURES, INFO, LABEL_NAMES} if product == TFRECORD else set())


def compare_folder(check: Check, folder: Path, expected: set[str], mend: str) -> None:
    """Note what is missing in a flat folder, and what is too much."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    check.figures["files"] = len(there)
    check.add_each("it is missing", [str(folder / name) for name in sorted(expected - there)], mend)
    check.add_each(
        "no product of this configuration",
        [str(folder / name) for name in sorted(there - expected)],
        MOVE_AWAY,
    )
