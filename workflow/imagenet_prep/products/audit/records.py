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
from imagenet_prep.products.audit.image_table import ImageTable
from imagenet_prep.products.audit.report import MOVE_AWAY, Check, Findings
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfds import FEATURES, INFO, LABEL_NAMES

_RECORDS_AT_A_TIME = 1 << 18
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


class Comparison:
    """Holds the records of a split, as its shards come, against its images, classes and boxes.

    Memory is bounded by the records that are compared at a time, and a number for each image.

    Args:
        check: gets the figures, and what differs.
        images: of the split.
        classes: `labels/classes.csv`.
        boxes: a table of boxes, or None where the records have none.
        mend: the command that makes the shards.
    """

    def __init__(
        self,
        check: Check,
        images: ImageTable,
        classes: pa.Table,
        boxes: Path | None,
        label_base: int,
        reencoded: Collection[str],
        mend: str,
    ) -> None:
        self._check, self._findings, self._mend = check, Findings(), mend
        self._images, self._classes, self._boxes, self._label_base = images, classes, boxes, label_base
        self._reencoded = pa.array(sorted(reencoded), pa.string())
        self._times = np.zeros(len(images), np.int32)
        self._waiting: list[pa.Table] = []
        self._sizes: list[int] = []
        check.figures |= {"records": 0, "images": len(images), "shards": 0, "boxes": 0}

    def add(self, found: pa.Table) -> None:
        """Add the records of a shard, schema `FOUND`."""
        self._sizes.append(len(found))
        self._waiting.append(found)
        if sum(map(len, self._waiting)) >= _RECORDS_AT_A_TIME:
            self._compare()

    def finish(self) -> None:
        """Compare what is left, and look for what is missing."""
        self._compare()
        sizes = self._sizes
        self._check.figures["shards"] = len(sizes)
        if sizes and max(sizes) - min(sizes) > 1:
            problem = f"shards of {min(sizes)} to {max(sizes)} records: they should be even within one"
            self._check.add(problem, self._mend)
        for what, times in (("it is missing", self._times == 0), ("it is there more than once", self._times > 1)):
            self._note(what, self._images.names(np.flatnonzero(times)), "tfrecord: image ")
        self._check.add_findings(self._findings)

    def _note(self, what: str, names: list[str], prefix: str = "") -> None:
        self._findings.add(what, [prefix + name for name in names], self._mend)

    def _compare(self) -> None:
        found = pa.concat_tables([FOUND.empty_table(), *self._waiting])
        self._waiting = []
        self._check.figures["records"] += len(found)
        columns = ["wnid", "index", "width", "height", "crc32c"]
        position, numbers, images = self._images.find(found["filename"].combine_chunks(), columns)
        self._times += np.bincount(numbers, minlength=len(self._times)).astype(np.int32)
        if len(position) < len(found):  # else a copy of all the records would be held for nothing
            unknown = np.delete(np.arange(len(found)), position)
            names = found["filename"].take(pa.array(unknown)).to_pylist()
            self._note("no archive in use holds it", names, "tfrecord: image ")
            found = found.take(pa.array(position))
        self._compare_features(found, images)
        self._compare_boxes(found)

    def _compare_features(self, found: pa.Table, images: pa.Table) -> None:
        classes, index = self._classes, images["index"]
        expected = {
            "label": pc.add(pc.cast(index, pa.int64()), self._label_base),
            "wnid": images["wnid"],
            "text": pc.take(classes["words"], pc.index_in(index, value_set=classes["index"].combine_chunks())),
            "width": pc.cast(images["width"], pa.int64()),
            "height": pc.cast(images["height"], pa.int64()),
            "crc32c": images["crc32c"],
        }
        again = pc.is_in(found["filename"], value_set=self._reencoded)
        for name, values in expected.items():
            differs = pc.not_equal(found[name], values)
            if name == "crc32c":
                differs = pc.and_(differs, pc.invert(again))
            names = found["filename"].filter(differs).to_pylist()
            self._note(f"its {name} in the TFRecords is not that of the tables", names)

    def _compare_boxes(self, found: pa.Table) -> None:
        self._check.figures["boxes"] += pc.sum(pc.list_value_length(found["xmin"])).as_py() or 0
        for side, wanted in zip(_SIDES, box_lists(found["filename"], self._boxes), strict=True):
            wrong = _differing_lists(found[side], pc.cast(wanted, pa.list_(pa.float32())))
            names = found["filename"].filter(wrong).to_pylist()
            self._note(f"its boxes ({side}) in the TFRecords are not those of the table", names)
        repeated = _repeated(found["label"], found["box_labels"])
        of_images = pa.ListArray.from_arrays(_offsets(found["box_labels"]), repeated)
        names = found["filename"].filter(_differing_lists(found["box_labels"], of_images)).to_pylist()
        self._note("its boxes have another label than the image", names)


def compare_index(check: Check, shard: Shard, folder: Path, mend: str) -> None:
    """Hold a shard's index file against the offsets that reading the shard gave."""
    check.figures["indexes"] = check.figures.get("indexes", 0) + 1
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
