"""The audit of TFRecord shards and their indexes: every record's checksums, and every feature against the tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from crc32c import crc32c

from imagenet_prep.dataset.shards import box_lists
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, picture, tfrecord
from imagenet_prep.formats.stream import Stream
from imagenet_prep.products.audit.report import MOVE_AWAY, Check
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfds import FEATURES, INFO, LABEL_NAMES

_SIDES = ("xmin", "ymin", "xmax", "ymax")
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
        *((side, pa.list_(pa.float32())) for side in _SIDES),
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
        header = picture.identify(image)
        expected = (features["image/width"][0], features["image/height"][0], 3, "JPEG", "RGB")
        if header != expected:
            raise ValueError(f"{filename}, re-encoded, is no RGB JPEG of {expected[0]}x{expected[1]} pixels")
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
        **{side: features[f"image/object/bbox/{side}"] for side in _SIDES},
    }


def compare_records(
    check: Check,
    shards: list[Shard],
    images: pa.Table,
    classes: pa.Table,
    boxes: Path | None,
    label_base: int,
    reencoded: Collection[str],
    mend: str,
) -> None:
    """Hold the records of a split against its images, classes and boxes; note in `check` what differs.

    Args:
        images: the split's rows of the table of images.
        boxes: a table of boxes, or None where the records have none.
    """
    found = pa.concat_tables([shard.found for shard in shards] or [FOUND.empty_table()])
    sizes = [len(shard.found) for shard in shards]
    check.figures |= {"records": len(found), "images": len(images), "shards": len(shards)}
    if sizes and max(sizes) - min(sizes) > 1:
        check.add(f"shards of {min(sizes)} to {max(sizes)} records: they should be even within one", mend)
    compare_names(check, found["filename"], images["filename"], "tfrecord: image ", mend)
    position = pc.index_in(found["filename"], value_set=images["filename"].combine_chunks())
    known = pc.is_valid(position)
    if not pc.all(known).as_py():  # else a copy of all the records would be held for nothing
        found, position = found.filter(known), position.filter(known)
    images = images.select(["wnid", "index", "width", "height", "crc32c"]).take(position)
    expected = {
        "label": pc.add(pc.cast(images["index"], pa.int64()), label_base),
        "wnid": images["wnid"],
        "text": pc.take(classes["words"], pc.index_in(images["index"], value_set=classes["index"].combine_chunks())),
        "width": pc.cast(images["width"], pa.int64()),
        "height": pc.cast(images["height"], pa.int64()),
        "crc32c": images["crc32c"],
    }
    again = pc.is_in(found["filename"], value_set=pa.array(sorted(reencoded), pa.string()))
    for name, values in expected.items():
        differs = pc.not_equal(found[name], values)
        if name == "crc32c":
            differs = pc.and_(differs, pc.invert(again))
        names = found["filename"].filter(differs).to_pylist()
        check.add_each(f"its {name} in the TFRecords is not that of the tables", names, mend)
    lists = box_lists(found["filename"], boxes)
    check.figures["boxes"] = pc.sum(pc.list_value_length(found["xmin"])).as_py() or 0
    for side, wanted in zip(_SIDES, lists, strict=True):
        wrong = _differing_lists(found[side], pc.cast(wanted, pa.list_(pa.float32())))
        check.add_each(
            f"its boxes ({side}) in the TFRecords are not those of the table",
            found["filename"].filter(wrong).to_pylist(),
            mend,
        )
    of_images = pa.ListArray.from_arrays(_offsets(found["box_labels"]), _repeated(found["label"], found["box_labels"]))
    names = found["filename"].filter(_differing_lists(found["box_labels"], of_images)).to_pylist()
    check.add_each("its boxes have another label than the image", names, mend)


def compare_indexes(check: Check, shards: list[Shard], folder: Path, mend: str) -> None:
    """Hold the index files against the offsets that reading the shards gave."""
    check.figures["indexes"] = len(shards)
    for shard in shards:
        path = folder / shard.path.name
        try:
            right = path.read_text(encoding="ascii", errors="replace") == shard.index
        except FileNotFoundError:
            check.add(f"{path}: it is missing", mend)
        else:
            if not right:
                check.add(f"{path}: its offsets are not those of the shard's records", f"rm {path} && {mend}")


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


def compare_names(check: Check, found: pa.ChunkedArray, wanted: pa.ChunkedArray, prefix: str, mend: str) -> None:
    """Note which names are missing, there more than once, or unknown."""
    counts = pc.value_counts(found.combine_chunks())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    missing = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found.combine_chunks())))
    unknown = found.filter(pc.invert(pc.is_in(found, value_set=wanted.combine_chunks())))
    for names, what in (
        (missing, "it is missing"),
        (twice, "it is there more than once"),
        (unknown, "no archive in use holds it"),
    ):
        check.add_each(what, [prefix + name for name in names.to_pylist()], mend)


def _offsets(lists: pa.ChunkedArray) -> pa.Array:
    """Where each list begins among the values of all, and the last one ends."""
    lengths = pc.list_value_length(lists).to_numpy()
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())


def _repeated(values: pa.ChunkedArray, lists: pa.ChunkedArray) -> pa.Array:
    """Each value as often as its list is long."""
    return pa.array(np.repeat(values.to_numpy(), pc.list_value_length(lists).to_numpy()))


def _differing_lists(found: pa.ChunkedArray, wanted: pa.Array) -> pa.Array:
    found = found.combine_chunks()
    different = pc.not_equal(pc.list_value_length(found), pc.list_value_length(wanted)).to_numpy(zero_copy_only=False)
    if not different.any():
        rows = np.repeat(np.arange(len(found)), pc.list_value_length(found).to_numpy(zero_copy_only=False))
        unequal = pc.not_equal(found.flatten(), wanted.flatten()).to_numpy(zero_copy_only=False)
        different[rows[unequal]] = True
    return pa.array(different)
