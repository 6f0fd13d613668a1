"""The audit of TFRecords, a split at a time: every feature of every record against the tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.dataset.names import BOX_SIDES
from imagenet_prep.dataset.shards import box_lists
from imagenet_prep.products.audit.image_table import ImageTable
from imagenet_prep.products.audit.records import FOUND, Shard
from imagenet_prep.products.audit.report import SHOWN, Check
from imagenet_prep.products.shardset import ShardSet

_RECORDS_AT_A_TIME = 1 << 18
_SHARDS_IN_A_COMMAND = 8  # named one by one; of more, all of the set are made again
_UNKNOWN = "no archive in use holds it"


@dataclass
class _Wrong:
    """The records that are wrong in one way: the first by shard and name, their number, and all shards of them."""

    names: list[str] = field(default_factory=list)
    count: int = 0
    shards: set[Path] = field(default_factory=set)


class Comparison:
    """Holds the records of a split, as its shards come, against its images, classes and boxes.

    Memory is bounded by the records that are compared at a time, and a number for each image.

    A record that is wrong by itself is mended by making its shard again; for that the file has to go, since what lies
    there counts as made. Where a whole set does not add up, no shard can be blamed, and all are made again.

    Args:
        check: gets the figures, and what differs.
        shards: the set that the records are of.
        images: of the split.
        classes: `labels/classes.csv`.
        boxes: a table of boxes, None where the records have none.
        label_base: the first label.
        reencoded: names of images whose bytes are not the archive's.
        mend: the command that makes the shards that are missing.
        looks_at_boxes: whether the boxes can be told.
    """

    def __init__(
        self,
        check: Check,
        shards: ShardSet,
        images: ImageTable,
        classes: pa.Table,
        boxes: Path | None,
        label_base: int,
        reencoded: Collection[str],
        mend: str,
        *,
        looks_at_boxes: bool = True,
    ) -> None:
        self._check, self._mend, self._shards = check, mend, shards
        self._images, self._classes, self._boxes, self._label_base = images, classes, boxes, label_base
        self._looks_at_boxes = looks_at_boxes
        self._reencoded = pa.array(sorted(reencoded), pa.string())
        self._times = np.zeros(len(images), np.int32)
        self._waiting: list[Shard] = []
        self._sizes: list[int] = []
        self._wrong: dict[str, _Wrong] = {}
        check.figures |= {"records": 0, "images": len(images), "shards": 0, "boxes": 0}

    def add(self, shard: Shard) -> None:
        """Add the records of a shard."""
        self._sizes.append(len(shard.found))
        self._waiting.append(shard)
        if sum(len(waiting.found) for waiting in self._waiting) >= _RECORDS_AT_A_TIME:
            self._compare()

    def finish(self) -> None:
        """Compare what is left, and look for what is missing."""
        self._compare()
        sizes = self._sizes
        self._check.figures["shards"] = len(sizes)
        all_again = f"rm -f {self._shards.pattern} && {self._mend}"
        for what, wrong in self._wrong.items():
            few = sorted(str(path) for path in wrong.shards)
            mend = f"rm {' '.join(few)} && {self._mend}" if len(few) <= _SHARDS_IN_A_COMMAND else all_again
            self._check.add_each(what, wrong.names, mend, wrong.count)
        if sizes and max(sizes) - min(sizes) > 1:
            problem = f"shards of {min(sizes)} to {max(sizes)} records: they should be even within one"
            self._check.add(f"{self._shards.pattern}: {problem}", all_again)
        # What a missing or damaged shard held is missing, too, and comes back with it; so does what has another name.
        explained = len(sizes) < self._shards.shards or _UNKNOWN in self._wrong
        lack = self._mend if explained else all_again
        for what, times, mend in (
            ("it is missing", self._times == 0, lack),
            ("it is there more than once", self._times > 1, all_again),
        ):
            names = [f"tfrecord: image {name}" for name in self._images.names(np.flatnonzero(times))]
            self._check.add_each(what, names, mend)

    def _note(self, what: str, found: pa.Table, differs: pa.Array | pa.ChunkedArray) -> None:
        """Note the records of which this is true."""
        if pc.any(differs).as_py():
            records = found.select(["shard", "filename"]).filter(differs)
            wrong = self._wrong.setdefault(what, _Wrong())
            paths = self._shards.paths()
            wrong.shards.update(paths[number] for number in pc.unique(records["shard"]).to_pylist())
            wrong.count += len(records)
            wrong.names += [
                f"{paths[record['shard']]}: image {record['filename']}"
                for record in records.slice(0, SHOWN + 1 - len(wrong.names)).to_pylist()
            ]

    def _compare(self) -> None:
        number = {path: number for number, path in enumerate(self._shards.paths())}
        of_shards = np.array([number[shard.path] for shard in self._waiting], np.int32)
        of_records = np.repeat(of_shards, [len(shard.found) for shard in self._waiting])
        found = pa.concat_tables([FOUND.empty_table(), *(shard.found for shard in self._waiting)])
        found = found.append_column("shard", pa.array(of_records))
        self._waiting = []
        self._check.figures["records"] += len(found)
        columns = ["wnid", "index", "width", "height", "format", "crc32c"]
        position, numbers, images = self._images.find(found["filename"].combine_chunks(), columns)
        self._times += np.bincount(numbers, minlength=len(self._times)).astype(np.int32)
        if len(position) < len(found):  # else a copy of all the records would be held for nothing
            unknown = np.ones(len(found), bool)
            unknown[position] = False
            self._note(_UNKNOWN, found, pa.array(unknown))
            found = found.take(pa.array(position))
        self._compare_features(found, images)
        if self._looks_at_boxes:
            self._compare_boxes(found)

    def _compare_features(self, found: pa.Table, images: pa.Table) -> None:
        classes, index = self._classes, images["index"]
        again = pc.is_in(found["filename"], value_set=self._reencoded)
        expected = {
            "label": pc.add(pc.cast(index, pa.int64()), self._label_base),
            "wnid": images["wnid"],
            "text": pc.take(classes["words"], pc.index_in(index, value_set=classes["index"].combine_chunks())),
            "width": pc.cast(images["width"], pa.int64()),
            "height": pc.cast(images["height"], pa.int64()),
            "format": pc.if_else(again, "JPEG", images["format"]),
            "crc32c": images["crc32c"],
        }
        for name, values in expected.items():
            differs = pc.not_equal(found[name], values)
            if name == "crc32c":
                differs = pc.and_(differs, pc.invert(again))
            self._note(f"its {name} in the TFRecords is not that of the tables", found, differs)

    def _compare_boxes(self, found: pa.Table) -> None:
        self._check.figures["boxes"] += pc.sum(pc.list_value_length(found["xmin"])).as_py() or 0
        names = pc.unique(found["filename"])
        lists = box_lists(pa.chunked_array([names]), self._boxes)
        if len(names) < len(found):  # an image that is there twice has its boxes both times
            rows = pc.index_in(found["filename"].combine_chunks(), value_set=names)
            lists = [of_names.take(rows) for of_names in lists]
        for side, wanted in zip(BOX_SIDES, lists, strict=True):
            wrong = _differing_lists(found[side], pc.cast(wanted, pa.list_(pa.float32())))
            self._note(f"its boxes ({side}) in the TFRecords are not those of the table", found, wrong)
        repeated = _repeated(found["label"], found["box_labels"])
        of_images = pa.ListArray.from_arrays(_offsets(found["box_labels"]), repeated)
        differs = _differing_lists(found["box_labels"], of_images)
        self._note("its boxes have another label than the image", found, differs)


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
