"""The audit of the multi-label TFRecords: every annotated image once, with its labels and the archive's bytes."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.dataset.names import shard_name
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet, tfrecord
from imagenet_prep.formats.stream import Stream
from imagenet_prep.products.audit.report import MOVE_AWAY, Check
from imagenet_prep.products.tfds import FEATURES, INFO, MULTILABEL_NAMES

_SHARD = re.compile(r"(validation|imagenet_m)-(\d{5})-of-(\d{5})")
_LISTS = ("correct_multi_labels", "unclear_multi_labels", "wrong_multi_labels")


def check_multilabel_records(
    folder: Path, multilabel: Path, images: pa.Table, reencoded: Collection[str], sums: dict[str, str], mend: str
) -> Check:
    """Hold the shards against the table of annotations and the table of images.

    Args:
        folder: where the shards lie.
        multilabel: the table of annotations.
        images: rows of the validation images.
        reencoded: names of images whose bytes are not the archive's.
        sums: gets the SHA-256 of every file that is whole, by its name below the output folder.
        mend: the command that makes the product.
    """
    check = Check("tfrecord_multilabel")
    rows = {row["file_name"]: row for row in parquet.read(multilabel).to_pylist()}
    crcs = dict(zip(images["filename"].to_pylist(), images["crc32c"].to_pylist(), strict=True))
    hard = {name for name, row in rows.items() if row["imagenet_m"]}
    for split, wanted in (("validation", set(rows)), ("imagenet_m", hard)):
        seen: list[str] = []
        for path in _shards(check, folder, split, mend) if wanted else ():
            try:
                with open(path, "rb", buffering=0) as file, Stream(file, "sha256") as stream:
                    for offset, data in tfrecord.records(stream, str(path)):
                        seen.append(_name_of_record(path, offset, data, rows, crcs, reencoded))
                    stream.drain()
                    sums[f"{folder.name}/{path.name}"] = stream.hexdigest()
            except PrepError as error:
                check.add(str(error), mend)
        check.figures[f"{split}_records"] = len(seen)
        check.add_each("it is missing", [f"{folder.name}: {name}" for name in sorted(wanted - set(seen))], mend)
        double = sorted(name for name in set(seen) if seen.count(name) > 1) if len(seen) > len(set(seen)) else []
        check.add_each("it is there more than once", [f"{folder.name}: {name}" for name in double], mend)
    described = {FEATURES, INFO, *MULTILABEL_NAMES}
    there = {path.name for path in folder.glob("*")}
    check.add_each("it is missing", [str(folder / name) for name in sorted(described - there)], mend)
    extra = sorted(name for name in there - described if not _SHARD.fullmatch(name))
    check.add_each("no product of this configuration", [str(folder / name) for name in extra], MOVE_AWAY)
    return check


def _shards(check: Check, folder: Path, split: str, mend: str) -> list[Path]:
    """The shards of a split, after a note of those that are missing or of another set."""
    found = sorted(path for path in folder.glob(f"{split}-*") if _SHARD.fullmatch(path.name))
    totals = {int(path.name[-5:]) for path in found}
    if len(totals) > 1:
        check.add(f"{folder}: shards of {split} of several sets lie there", mend)
    for total in totals or {1}:
        missing = {shard_name(split, shard, total) for shard in range(total)} - {path.name for path in found}
        check.add_each("it is missing", [str(folder / name) for name in sorted(missing)], mend)
    return found


def _name_of_record(
    path: Path, offset: int, data: Any, rows: dict[str, Any], crcs: dict[str, int], reencoded: Collection[str]
) -> str:
    def wrong(problem: str) -> PrepError:
        return PrepError(path, problem, tfrecord.REMEDY, offset=offset)

    try:
        features = example.decode(data)
        name = features["file_name"][0].decode()  # type: ignore[union-attr]
        row = rows[name]
        same = features["original_label"] == [row["original_label"]] and all(
            features[feature] == row[feature] for feature in _LISTS
        )
        image: Any = features["image"][0]
        same = same and features["is_problematic"] == [int(row["is_problematic"])]
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise wrong("the record that begins here is none of an annotated image") from error
    if not same:
        raise wrong(f"the labels of {name} are not those of the table")
    if name not in reencoded and crc32c(image) != crcs.get(name):
        raise wrong(f"the image of {name} is not that of the archive")
    return name
