"""The images of a split: where each lies in its archive, what it is, and which class it shows."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.datasets.classes import validation_filename, validation_wnids
from imagenet_prep.datasets.dataset import Labels, Split
from imagenet_prep.engine.archive_remedies import DOWNLOAD_AGAIN
from imagenet_prep.engine.scan_rows import ROWS, SCAN
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

IMAGES = pa.schema(
    [
        ("split", pa.string()),
        ("filename", pa.string()),
        ("wnid", pa.string()),
        ("class_index", pa.int32()),
        ("archive", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("channels", pa.int8()),
        ("format", pa.string()),
        ("colorspace", pa.string()),
        ("crc32c", pa.uint32()),
    ]
)
"""`tables/images.parquet`: `offset` and `length` in bytes, in the file `archive`; `width` and `height` in pixels."""


def label_images(
    scan: Path,
    split: Split,
    synsets: pa.Table,
    ground_truth: np.ndarray[Any, Any],
    classes: pa.Table,
    archive: Path,
    *,
    counted: bool = False,
) -> Iterator[pa.Table]:
    """Give every image of a scan its class; yield the images of the selected classes by file name (schema `IMAGES`).

    Archives of class tars are gone through class by class, flat ones, which are small, all at once. Images that have no
    class (null), as those of the test set, are all kept.

    Args:
        scan: Parquet file of schema `SCAN`.
        split: that they are of.
        synsets: the devkit's synsets, all of them.
        ground_truth: the devkit's labels of the validation images, int32 of shape (n,).
        classes: the selected classes.
        archive: the archive's path, for messages.
        counted: whether no checksum of them all was compared, so that every class has to have as many images as the
            devkit says it has in train.

    Raises:
        PrepError: a class that the devkit does not know, or has another number of images of; or validation images
            that do not fit the ground truth, or whose folders or names tell other classes.
    """
    missing = dict(zip(classes["wnid"].to_pylist(), classes["num_train_images"].to_pylist(), strict=True))
    for table in _parts(scan, split):
        table = table.sort_by("filename")
        if split.labels is Labels.LAYOUT:
            _expect_known_classes(table, synsets, archive)
        elif split.labels is Labels.GROUND_TRUTH:
            _expect_validation_images(table, ground_truth, archive)
            wnids = pa.array(validation_wnids(ground_truth, synsets), pa.string())
            _expect_labels(table, wnids, synsets, archive)
            table = table.set_column(table.schema.get_field_index("wnid"), "wnid", wnids)
        position = pc.index_in(table["wnid"], value_set=classes["wnid"])
        if split.labels is not Labels.NONE:
            selected = pc.is_valid(position)
            table, position = table.filter(selected), position.filter(selected)
        columns = {name: table[name] for name in table.column_names}
        columns["split"] = pa.array([split.name] * len(table), pa.string())
        columns["class_index"] = pc.take(classes["class_index"], position)
        columns["length"] = table["nbytes"]  # as scans call it: another name there would have all archives read again
        if counted:
            for wnid in table["wnid"].unique().to_pylist():
                _expect_count(archive, wnid, len(table), missing.pop(wnid))
        if len(table):
            yield pa.table({field.name: columns[field.name] for field in IMAGES}, schema=IMAGES)

    if counted:
        for wnid, count in missing.items():
            _expect_count(archive, wnid, 0, count)


def write_images(tables: Iterable[pa.Table], output: Path) -> int:
    """Write a split's images; return their number.

    Each table is a row group, or several of at most 65536 images. Of training images it is a class, so that a job can
    read its classes alone.
    """
    images = 0
    with parquet.writing(output, IMAGES) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=min(len(table), ROWS))
            images += len(table)
    return images


def tabulate_images(parts: list[Path], output: Path) -> None:
    """Put the splits' tables one behind the other into `output`."""
    with parquet.writing(output, IMAGES) as writer:
        for part in parts:
            file = parquet.open_table(part)
            for group in range(file.num_row_groups):
                writer.write_table(parquet.read_groups(file, part, [group]), row_group_size=ROWS)


def read_classes(images: Path, wnids: list[str], columns: list[str]) -> pa.Table:
    """The images of some classes, in the table's order; only the row groups that can hold them are read.

    Args:
        images: a table of schema `IMAGES`.
        wnids: the classes; one that has no image there is no error.
        columns: what is wanted of the images, in this order.

    Raises:
        PrepError: the table is missing or damaged.
    """
    file = parquet.open_table(images)
    column = file.schema_arrow.get_field_index("wnid")
    wanted = sorted(wnids)
    groups = []
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(column).statistics
        if statistics is None or bisect_left(wanted, statistics.min) < bisect_right(wanted, statistics.max):
            groups.append(group)
    table = parquet.read_groups(file, images, groups, sorted({*columns, "wnid"}))
    return table.filter(pc.is_in(table["wnid"], value_set=pa.array(wnids, pa.string()))).select(columns)


def _parts(scan: Path, split: Split) -> Iterator[pa.Table]:
    """The scan of a flat archive; of one of class tars, where a row group is a class, each class by WNID."""
    file = parquet.open_table(scan, schema=SCAN)
    groups = range(file.num_row_groups)
    if split.labels is not Labels.LAYOUT:
        yield parquet.read_groups(file, scan, groups)
        return
    column = SCAN.get_field_index("wnid")
    for group in sorted(groups, key=lambda it: file.metadata.row_group(it).column(column).statistics.min):
        yield parquet.read_groups(file, scan, [group])


def _is_class(synsets: pa.Table) -> pa.ChunkedArray:
    return pc.equal(synsets["num_children"], 0)


def _expect_count(archive: Path, wnid: str, count: int, wanted: int | None) -> None:
    if wanted is not None and count != wanted:
        problem = f"class {wnid} has {count} images here, and {wanted} in the devkit"
        remedy = (
            "Get the images that are missing, or take away those that are too many; or leave the class out of classes"
        )
        raise PrepError(os.path.realpath(archive), problem, remedy)


def _expect_labels(table: pa.Table, wnids: pa.Array, synsets: pa.Table, archive: Path) -> None:
    """Hold the classes that folders or file names tell, by WNID or by index, against those of the ground truth."""
    told = table["wnid"].combine_chunks()
    if told.null_count == len(told):
        return
    index = {wnid: number for number, wnid in enumerate(sorted(synsets.filter(_is_class(synsets))["wnid"].to_pylist()))}
    for row, given, wnid in zip(range(len(told)), told.to_pylist(), wnids.to_pylist(), strict=True):
        if given is None or given == wnid or (given.isdecimal() and int(given) == index[wnid]):
            continue
        image = table.slice(row, 1).to_pylist()[0]
        problem = f"the image is said to be of class {given}, and the devkit says {wnid}"
        remedy = "Move it to where it belongs, or get the images again: other labels may be wrong, too"
        raise PrepError(
            os.path.realpath(archive),
            problem,
            remedy,
            member=image["archive"] if image["archive"].endswith(image["filename"]) else image["filename"],
        )


def _expect_known_classes(table: pa.Table, synsets: pa.Table, archive: Path) -> None:
    leaves = synsets.filter(_is_class(synsets))["wnid"]
    unknown = table.filter(pc.invert(pc.is_in(table["wnid"], value_set=leaves.combine_chunks())))
    if len(unknown):
        first = unknown.slice(0, 1).to_pylist()[0]
        raise PrepError(
            os.path.realpath(archive),
            f"the archive has a class {first['wnid']} that is none of the devkit's {len(leaves)} classes",
            "Archive and devkit do not belong together, or the archive is damaged: get both from the same place",
            member=f"{first['wnid']}.tar",
            offset=first["offset"],
        )


def _expect_validation_images(table: pa.Table, ground_truth: np.ndarray[Any, Any], archive: Path) -> None:
    expected = [validation_filename(number) for number in range(1, len(ground_truth) + 1)]
    found = table["filename"].to_pylist()
    if found != expected:
        place = os.path.realpath(archive)
        if len(found) != len(expected):
            raise PrepError(
                place,
                f"the archive has {len(found)} validation images, the devkit's ground truth has {len(expected)} lines",
                f"{DOWNLOAD_AGAIN}; the same with the devkit if the images are complete",
            )
        name = next(name for name, wanted in zip(found, expected, strict=True) if name != wanted)
        raise PrepError(place, "the validation images are not numbered 1, 2, 3 …", DOWNLOAD_AGAIN, member=name)
