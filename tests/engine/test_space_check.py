"""Whether what is needed fits: the error that names what to leave out, and the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagenet_prep import configuration
from imagenet_prep.engine import space_check
from imagenet_prep.engine.space import ARCHIVE, SpaceNeed
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import FileSystem
from imagenet_prep.products.registry import SPLIT_PRODUCTS

IMAGEFOLDER, TFRECORD, TFRECORD_INDEX = "imagefolder", "tfrecord", "tfrecord_index"
CONFIG = configuration.complete({}, Path.cwd())
GB = 10**9
OUT, IN = Path("results"), Path("archives")
NEEDED = [
    SpaceNeed((ARCHIVE, "train"), IN, 148 * GB, 1),
    SpaceNeed((ARCHIVE, "val"), IN, 7 * GB, 1),
    SpaceNeed((IMAGEFOLDER, "train"), OUT / "imagefolder", 150 * GB, 1_282_168),
    SpaceNeed((IMAGEFOLDER, "validation"), OUT / "imagefolder", 7 * GB, 51_001),
    SpaceNeed((TFRECORD, "train"), OUT / "tfrecord", 147 * GB, 1024),
    SpaceNeed((TFRECORD, "validation"), OUT / "tfrecord", 7 * GB, 128),
    SpaceNeed((TFRECORD_INDEX, "train"), OUT / "tfrecord_index", GB // 40, 1024),
]


def one(nbytes: int | None, files: int | None = None, quota: str | None = None) -> dict[Path, FileSystem]:
    return {need.path: FileSystem(1, Path("/data"), nbytes, files, quota=quota) for need in NEEDED}


def two(archives: int, outputs: int) -> dict[Path, FileSystem]:
    return {need.path: FileSystem(2, Path("/out"), outputs, None) for need in NEEDED} | {
        IN: FileSystem(1, Path("/in"), archives, None)
    }


def error(file_systems: dict[Path, FileSystem]) -> str:
    with pytest.raises(PrepError) as caught:
        space_check.expect_enough(NEEDED, file_systems, CONFIG, SPLIT_PRODUCTS)
    return str(caught.value)


@pytest.mark.parametrize("file_systems", [one(500 * GB), one(None), one(500 * GB, 1_400_000), two(160 * GB, 320 * GB)])
def test_enough_space_is_no_error(file_systems: dict[Path, FileSystem]) -> None:
    space_check.expect_enough(NEEDED, file_systems, CONFIG, SPLIT_PRODUCTS)


def test_the_error_names_the_product_without_which_the_rest_fits() -> None:
    said = error(one(320 * GB))
    assert "/data (archives_dir and output_dir)" in said
    assert "466.0 GB are needed and 320.0 GB are free" in said
    assert "Leave out tfrecord and tfrecord_index (in products): the rest needs 312.0 GB" in said
    assert "imagefolder" not in said


def test_of_several_products_that_would_do_the_smallest_is_named() -> None:
    assert "Leave out tfrecord_index (in products)" in error(one(466 * GB))


def test_too_few_inodes_are_an_error_that_names_the_product_of_many_files() -> None:
    said = error(one(900 * GB, 100_000))
    assert "1 335 347 files are needed and 100 000 can still be made" in said
    assert "Leave out imagefolder" in said


def test_where_no_product_helps_the_largest_split_is_named() -> None:
    assert "Leave out the split train (train and bbox_train in use): the rest needs 21.0 GB" in error(one(76 * GB))


def test_where_nothing_helps_room_has_to_be_made() -> None:
    assert error(one(5 * GB)).endswith("Make room there, or move archives_dir and output_dir to another file system.")


def test_each_file_system_is_held_against_what_goes_there() -> None:
    assert "/in (archives_dir)" in error(two(100 * GB, 900 * GB))
    said = error(two(900 * GB, 200 * GB))
    assert "/out (output_dir)" in said
    assert "311.0 GB are needed and 200.0 GB are free" in said


def test_a_quota_is_named() -> None:
    assert "too little space within your quota" in error(one(100 * GB, quota="your quota"))


def test_the_table_has_each_part_and_the_file_systems_with_what_they_have() -> None:
    table = space_check.as_table(NEEDED, two(160 * GB, 320 * GB))
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert lines == [
        "on /in bytes files",
        "archive train 148.0 GB 1",
        "archive val 7.0 GB 1",
        "all of it 155.0 GB 2",
        "free 160.0 GB no limit",
        "on /out bytes files",
        "imagefolder train 150.0 GB 1 282 168",
        "imagefolder validation 7.0 GB 51 001",
        "tfrecord train 147.0 GB 1 024",
        "tfrecord validation 7.0 GB 128",
        "tfrecord_index train 25.0 MB 1 024",
        "all of it 311.0 GB 1 335 345",
        "free 320.0 GB no limit",
    ]
    assert "Nothing is left" in space_check.as_table([], {})
