"""The images of a split with their classes: which are kept, how they are laid down, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from builders import ANIMAL, CRANE, FOX, MACHINE, TRUTH, synsets
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import images
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.images import IMAGES, label_images, read_classes, tabulate_images, write_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.engine.scan_rows import SCAN
from imagenet_prep.errors import PrepError

ARCHIVE = Path("archive.tar")


def scan_of(folder: Path, name: str, data: bytes) -> Path:
    archive, output = folder / f"{name}.tar", folder / f"{name}.parquet"
    archive.write_bytes(data)
    scan(name, archive, Expected(), output, ILSVRC2012)
    return output


def labelled(
    table: Path, split: str, wnids: list[str] | None = None, numbering: Any = "original"
) -> Iterator[pa.Table]:
    of, classes = ILSVRC2012.splits[split], select_classes(synsets(), wnids, numbering)
    return label_images(table, of, synsets(), TRUTH, classes, ARCHIVE)


def label(table: Path, split: str, wnids: list[str] | None = None, numbering: Any = "original") -> pa.Table:
    return pa.concat_tables(labelled(table, split, wnids, numbering))


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return scan_of(tmp_path, "train", builders.train_tar(builders.train_images()))


@pytest.fixture
def val(tmp_path: Path) -> Path:
    return scan_of(tmp_path, "val", builders.tar(dict(reversed(builders.val_images().items()))))


def test_training_images_are_sorted_by_name(train: Path) -> None:
    assert label(train, "train")["filename"].to_pylist() == sorted(builders.train_images())


def test_training_images_have_the_index_of_their_class(train: Path) -> None:
    table = label(train, "train")
    assert dict(zip(table["wnid"].to_pylist(), table["class_index"].to_pylist(), strict=True)) == {
        CRANE: 0,
        FOX: 1,
        MACHINE: 2,
    }


def test_validation_images_have_the_class_of_the_ground_truth(val: Path) -> None:
    table = label(val, "validation")
    assert table["filename"].to_pylist() == list(builders.val_images())
    assert table["wnid"].to_pylist() == [FOX, CRANE, MACHINE, FOX, FOX, CRANE]
    assert table["class_index"].to_pylist() == [1, 0, 2, 1, 1, 0]


def test_test_images_have_no_class_and_a_subset_keeps_them_all(tmp_path: Path) -> None:
    data = builders.tar({f"test/ILSVRC2012_test_{n:08d}.JPEG": builders.image() for n in (2, 1)})
    table = label(scan_of(tmp_path, "test", data), "test", [FOX])
    assert table["wnid"].to_pylist() == table["class_index"].to_pylist() == [None, None]


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize(("numbering", "index"), [("original", 1), ("renumbered", 0)])
def test_a_subset_has_its_classes_alone(request: pytest.FixtureRequest, split: str, numbering: str, index: int) -> None:
    table = label(request.getfixturevalue("train" if split == "train" else "val"), split, [FOX], numbering)
    assert set(table["wnid"].to_pylist()) == {FOX}
    assert set(table["class_index"].to_pylist()) == {index}
    assert len(table) == 3


def test_a_row_keeps_what_the_scan_found(train: Path) -> None:
    found = {row["filename"]: row for row in pq.read_table(train).to_pylist()}
    for row in label(train, "train").to_pylist():
        row["nbytes"] = row["length"]
        assert {name: row[name] for name in SCAN.names} == found[row["filename"]]


@pytest.mark.parametrize("split", ["train", "train_t3"])
def test_a_class_that_the_devkit_does_not_know_is_an_error(tmp_path: Path, split: str) -> None:
    data = builders.train_tar({"n09999999_1.JPEG": builders.image()})
    table = scan_of(tmp_path, split, data)
    with pytest.raises(PrepError, match="none of the devkit's 3 classes") as caught:
        label(table, split)
    assert (caught.value.member, caught.value.offset) == ("n09999999.tar", 1024)


def test_an_internal_synset_is_no_class(tmp_path: Path) -> None:
    table = scan_of(tmp_path, "train", builders.train_tar({f"{ANIMAL}_1.JPEG": builders.image()}))
    with pytest.raises(PrepError, match=ANIMAL):
        label(table, "train")


@pytest.mark.parametrize("n", [5, 7])
def test_another_number_of_images_than_labels_is_an_error(tmp_path: Path, n: int) -> None:
    table = scan_of(tmp_path, "val", builders.tar(builders.val_images(n)))
    with pytest.raises(PrepError, match=f"{n} validation images.* 6 lines"):
        label(table, "validation")


def test_a_gap_in_the_numbers_is_an_error_that_names_an_image(tmp_path: Path) -> None:
    found = builders.val_images(7)
    del found["ILSVRC2012_val_00000003.JPEG"]
    table = scan_of(tmp_path, "val", builders.tar(found))
    with pytest.raises(PrepError, match="not numbered") as caught:
        label(table, "validation")
    assert caught.value.member == "ILSVRC2012_val_00000004.JPEG"


def test_training_images_are_laid_down_a_row_group_a_class(train: Path, tmp_path: Path) -> None:
    write_images(labelled(train, "train"), tmp_path / "images.parquet")
    file = pq.ParquetFile(tmp_path / "images.parquet")
    groups = [set(file.read_row_group(i)["wnid"].to_pylist()) for i in range(file.num_row_groups)]
    assert groups == [{CRANE}, {FOX}, {MACHINE}]


def test_the_order_in_the_archive_changes_nothing_but_offsets(tmp_path: Path) -> None:
    tables = []
    for order in (1, -1):
        data = builders.train_tar(dict(list(builders.train_images().items())[::order]))
        tables.append(label(scan_of(tmp_path, "train", data), "train").drop_columns(["offset"]))
    assert tables[0].equals(tables[1])


def test_the_table_of_the_same_images_is_the_same(train: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    assert [write_images(labelled(train, "train"), output) for output in outputs] == [9, 9]
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize("wnids", [[FOX], [CRANE, MACHINE], []])
def test_classes_are_read_alone(train: Path, tmp_path: Path, wnids: list[str]) -> None:
    write_images(labelled(train, "train"), tmp_path / "images.parquet")
    table = read_classes(tmp_path / "images.parquet", wnids, ["filename", "length"])
    assert table.column_names == ["filename", "length"]
    assert table["filename"].to_pylist() == [name for name in sorted(builders.train_images()) if name[:9] in wnids]


def test_classes_of_validation_images_are_read_from_one_group(val: Path, tmp_path: Path) -> None:
    write_images(labelled(val, "validation"), tmp_path / "images.parquet")
    assert len(read_classes(tmp_path / "images.parquet", [FOX], ["filename"])) == 3


def test_splits_stand_in_order(train: Path, val: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ROWS", 4)
    parts = []
    for split, table in (("train", train), ("validation", val)):
        parts.append(tmp_path / f"{split}.images.parquet")
        write_images(labelled(table, split), parts[-1])
    tabulate_images(parts, tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.schema.equals(IMAGES)
    assert table["split"].to_pylist() == ["train"] * 9 + ["validation"] * 6


def test_a_subset_of_which_the_archive_holds_nothing_has_no_rows(tmp_path: Path) -> None:
    table = scan_of(tmp_path, "train", builders.train_tar({f"{FOX}_1.JPEG": builders.image()}))
    assert write_images(labelled(table, "train", [CRANE]), tmp_path / "images.parquet") == 0
    assert len(read_classes(tmp_path / "images.parquet", [CRANE], ["filename"])) == 0
