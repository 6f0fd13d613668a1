"""The audit of the multi-label TFRecords: every annotated image once, with its labels and the archive's bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet, tfrecord
from imagenet_prep.formats.stream import Stream
from imagenet_prep.products.audit.records import compare_folder, expect_rgb_jpeg
from imagenet_prep.products.audit.report import Check
from imagenet_prep.products.multilabel_records import shards_of
from imagenet_prep.products.shardset import TFRECORD_MULTILABEL
from imagenet_prep.products.tfds import FEATURES, INFO, JUDGED, MULTILABEL_NAMES

Rows = dict[str, dict[str, Any]]


def check_multilabel_records(
    output_dir: Path,
    multilabel: Path,
    images: pa.Table,
    reencoded: Collection[str],
    shards: int,
    sums: dict[str, str],
    mend: str,
) -> Check:
    """Hold the shards against the table of annotations and the table of images.

    Args:
        output_dir: the configured folder.
        multilabel: the table of annotations.
        images: the validation images: `filename`, `crc32c`, `width` and `height`.
        reencoded: names of images whose bytes are not the archive's.
        shards: how many the configuration asks for.
        sums: gets the SHA-256 of every shard that is whole, by its name below the output folder.
        mend: the command that makes what is missing.
    """
    check = Check(TFRECORD_MULTILABEL)
    folder = output_dir / TFRECORD_MULTILABEL
    rows: Rows = {row["file_name"]: row for row in parquet.read(multilabel).to_pylist()}
    known: Rows = {row["filename"]: row for row in images.to_pylist()}
    hard = {name for name, row in rows.items() if row["imagenet_m"]}
    splits = {"validation": {*rows}, "imagenet_m": hard}
    sets = [(shards_of(output_dir, split, len(wanted), shards), wanted) for split, wanted in splits.items()]
    expected = {FEATURES, INFO, *MULTILABEL_NAMES, *(path.name for found, _ in sets for path in found.paths())}
    compare_folder(check, folder, expected, mend)
    for found, wanted in sets:
        seen: Counter[str] = Counter()
        whole = 0
        for path in [path for path in found.paths() if path.is_file()]:
            try:
                with open(path, "rb", buffering=0) as file, Stream(file, "sha256") as stream:
                    for offset, data in tfrecord.records(stream, str(path)):
                        seen[_name_of_record(path, offset, data, rows, known, reencoded)] += 1
                    stream.drain()
                    sums[f"{folder.name}/{path.name}"] = stream.hexdigest()
                    whole += 1
            except PrepError as error:
                check.add(str(error), f"rm {path} && {mend}", kind=f"{found.split} shard that is wrong")
            except OSError as error:
                check.add(f"{path}: it cannot be read ({error.strerror})", f"rm {path} && {mend}")
        check.figures[f"{found.split}_records"] = seen.total()
        all_again = f"rm -f {found.pattern} && {mend}"
        # What a missing or damaged shard held is missing, too, and comes back with it.
        lack = all_again if whole == found.shards else mend
        for what, names, remedy in (
            (f"it is missing in {found.split}", wanted - seen.keys(), lack),
            (f"it is in {found.split} and should not be", seen.keys() - wanted, all_again),
            (f"it is in {found.split} more than once", {name for name in seen if seen[name] > 1}, all_again),
        ):
            check.add_each(what, [f"{folder.name}: image {name}" for name in sorted(names)], remedy)
    return check


def _name_of_record(path: Path, offset: int, data: Any, rows: Rows, known: Rows, reencoded: Collection[str]) -> str:
    """The name of a record's image, after its labels and its bytes were looked at."""

    def wrong(problem: str) -> PrepError:
        return PrepError(path, problem, tfrecord.REMEDY, offset=offset)

    try:
        features = example.decode(data)
        name = features["file_name"][0].decode()  # type: ignore[union-attr]
        row = rows[name]
        same = features["original_label"] == [row["original_label"]] and all(
            features[feature] == row[feature] for feature in JUDGED
        )
        image: Any = features["image"][0]
        same = same and features["is_problematic"] == [int(row["is_problematic"])]
        of_table = known[name]
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise wrong("the record that begins here is none of an annotated image") from error
    if not same:
        raise wrong(f"the labels of {name} are not those of the table")
    if name in reencoded:
        try:
            expect_rgb_jpeg(image, name, of_table["width"], of_table["height"])
        except ValueError as error:
            raise wrong(f"the record that begins here is not what it should be ({error})") from error
    elif crc32c(image) != of_table["crc32c"]:
        raise wrong(f"the image of {name} is not that of the archive")
    return name
