"""The files of `labels/`, as other programs read them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.devkit import SYNSETS, read_devkit
from imagenet_prep.products.labels import Labels, write_labels


def synset(number: int, wnid: str, words: str, children: list[int]) -> dict[str, Any]:
    numbers = {"num_children": len(children), "wordnet_height": 0, "num_train_images": 7}
    return {"ilsvrc2012_id": number, "wnid": wnid, "words": words, "gloss": "", "children": children, **numbers}


@pytest.fixture
def synsets() -> pa.Table:
    rows = [
        synset(1, "n00000002", 'the "kit" fox, Vulpes', []),
        synset(2, "n00000001", "café", []),
        synset(3, "n00000003", "entity", [1, 2]),
    ]
    return pa.Table.from_pylist(rows, schema=SYNSETS)


GROUND_TRUTH = np.array([1, 2, 1], dtype=np.int32)


@pytest.fixture
def folder(tmp_path: Path, synsets: pa.Table) -> Path:
    write_labels(synsets, GROUND_TRUTH, select_classes(synsets, None, "original"), tmp_path / "labels")
    return tmp_path / "labels"


def lines(path: Path) -> list[str]:
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    return text.split("\n")[:-1]


def test_the_folder_holds_its_files_and_no_others(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(Labels.file_names)


def test_the_synsets_are_all_of_the_devkit(folder: Path, synsets: pa.Table) -> None:
    assert pq.ParquetFile(folder / "synsets.parquet").read().equals(synsets)


def test_classes_csv_quotes_the_words_that_need_it(folder: Path) -> None:
    assert lines(folder / "classes.csv") == [
        "class_index,wnid,ilsvrc2012_id,tf_label,words,num_train_images",
        "0,n00000001,2,1,café,7",
        '1,n00000002,1,2,"the ""kit"" fox, Vulpes",7',
    ]


def test_val_labels_csv_has_a_row_an_image(folder: Path) -> None:
    assert lines(folder / "val_labels.csv") == [
        "filename,ilsvrc2012_id,wnid,class_index",
        "ILSVRC2012_val_00000001.JPEG,1,n00000002,1",
        "ILSVRC2012_val_00000002.JPEG,2,n00000001,0",
        "ILSVRC2012_val_00000003.JPEG,1,n00000002,1",
    ]


def test_the_files_of_other_programs_have_a_line_an_image(folder: Path) -> None:
    assert lines(folder / "val_index.txt") == ["1", "0", "1"]
    assert lines(folder / "validation_synset_labels.txt") == ["n00000002", "n00000001", "n00000002"]


def test_wnid_to_index_has_a_line_a_class(folder: Path) -> None:
    assert lines(folder / "wnid_to_index.txt") == ["n00000001 0 café", 'n00000002 1 the "kit" fox, Vulpes']


def test_hierarchy_json_is_the_nested_tree(folder: Path) -> None:
    tree = json.loads((folder / "hierarchy.json").read_text(encoding="utf-8"))
    assert (tree["wnid"], tree["words"], tree["class_index"]) == ("n00000003", "entity", None)
    assert [(child["words"], child["class_index"]) for child in tree["children"]] == [
        ('the "kit" fox, Vulpes', 1),
        ("café", 0),
    ]


def test_a_subset_leaves_out_other_classes_and_their_images(tmp_path: Path, synsets: pa.Table) -> None:
    write_labels(synsets, GROUND_TRUTH, select_classes(synsets, ["n00000002"], "renumbered"), tmp_path)
    assert lines(tmp_path / "val_index.txt") == ["0", "0"]
    assert lines(tmp_path / "validation_synset_labels.txt") == ["n00000002"] * 2
    assert [line.split(",")[0] for line in lines(tmp_path / "val_labels.csv")[1:]] == [
        "ILSVRC2012_val_00000001.JPEG",
        "ILSVRC2012_val_00000003.JPEG",
    ]
    assert lines(tmp_path / "wnid_to_index.txt") == ['n00000002 0 the "kit" fox, Vulpes']
    assert pq.ParquetFile(tmp_path / "synsets.parquet").metadata.num_rows == 3


def test_the_same_devkit_gives_the_same_bytes(tmp_path: Path, folder: Path, synsets: pa.Table) -> None:
    write_labels(synsets, GROUND_TRUTH, select_classes(synsets, None, "original"), tmp_path / "again")
    for name in Labels.file_names:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_the_real_labels(shared_data: Path, tmp_path: Path) -> None:
    real = read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")
    write_labels(real.synsets, real.ground_truth, select_classes(real.synsets, None, "original"), tmp_path)
    with (tmp_path / "classes.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [(row["wnid"], row["words"]) for row in table if row["class_index"] in ("134", "517")] == [
        ("n02012849", "crane"),
        ("n03126707", "crane"),
    ]
    assert lines(tmp_path / "val_index.txt")[:3] == ["65", "970", "230"]
    assert lines(tmp_path / "wnid_to_index.txt")[278] == "n02119789 278 kit fox, Vulpes macrotis"
    assert len(lines(tmp_path / "validation_synset_labels.txt")) == 50000


def test_without_a_devkit_nobody_is_promised_the_tree(folder: Path, synsets: pa.Table) -> None:
    labels, config = Labels(), {"output_dir": str(folder.parent)}
    assert "tree" in labels.content(config, {})[0]
    without = synsets.slice(0, 2).set_column(synsets.schema.get_field_index("gloss"), "gloss", [[None, None]])
    write_labels(without.cast(SYNSETS), GROUND_TRUTH, select_classes(without, None, "original"), folder)
    assert labels.content(config, {})[0] == "classes in every numbering, validation labels"
