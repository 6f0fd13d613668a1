"""Selecting classes, numbering them, labelling validation images, and the tree above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders import is_one_line
from imagenet_prep.datasets import classes
from imagenet_prep.datasets.devkit import SYNSETS, Devkit, read_devkit
from imagenet_prep.errors import PrepError
from imagenet_prep.products.labels import write_labels


def synset(number: int, wnid: str, words: str, children: list[int] | None = None) -> dict[str, Any]:
    children = children or []
    return {
        "ilsvrc2012_id": number,
        "wnid": wnid,
        "words": words,
        "gloss": "",
        "num_children": len(children),
        "children": children,
        "wordnet_height": 0,
        "num_train_images": 0 if children else 1000 + number,
    }


# The cat is a pet and a beast.
KIT_FOX, CAT, ANT, BEAST, PET, ROOT = "n00000030", "n00000010", "n00000020", "n00000050", "n00000060", "n00000040"


@pytest.fixture
def synsets() -> pa.Table:
    rows = [
        synset(1, KIT_FOX, "kit fox, Vulpes macrotis"),
        synset(2, CAT, "cat"),
        synset(3, ANT, "ant"),
        synset(4, ROOT, "entity", [6, 5]),
        synset(5, PET, "pet", [2]),
        synset(6, BEAST, "beast", [3, 2, 1]),
    ]
    return pa.Table.from_pylist(rows, schema=SYNSETS)


GROUND_TRUTH = np.array([3, 1, 1, 2], dtype=np.int32)


def test_the_index_is_the_rank_of_the_sorted_wnids(synsets: pa.Table) -> None:
    table = classes.select_classes(synsets, None, "original")
    assert table.schema == classes.CLASSES
    assert table.to_pydict() == {
        "class_index": [0, 1, 2],
        "wnid": [CAT, ANT, KIT_FOX],
        "ilsvrc2012_id": [2, 3, 1],
        "tf_label": [1, 2, 3],
        "words": ["cat", "ant", "kit fox, Vulpes macrotis"],
        "num_train_images": [1002, 1003, 1001],
    }


def test_the_classes_come_back_from_the_label_files(synsets: pa.Table, tmp_path: Path) -> None:
    selected = classes.select_classes(synsets, None, "original")
    write_labels(synsets, GROUND_TRUTH, selected, tmp_path)
    assert classes.read_classes(tmp_path / "classes.csv").equals(selected)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text.splitlines(keepends=True)[0],
        lambda text: text.replace("wnid", "name"),
        lambda text: text.replace("1002", "many"),
        lambda text: text.replace("1002", ""),
        lambda text: text[:-30],
    ],
    ids=["empty", "no class", "another column", "no number", "an empty cell", "cut off"],
)
def test_a_damaged_file_of_classes_is_named(damage: Callable[[str], str], synsets: pa.Table, tmp_path: Path) -> None:
    write_labels(synsets, GROUND_TRUTH, classes.select_classes(synsets, None, "original"), tmp_path)
    path = tmp_path / "classes.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(PrepError, match=r"classes\.csv: the file is damaged .* made anew") as caught:
        classes.read_classes(path)
    assert is_one_line(caught.value)


def test_a_missing_file_of_classes_comes_back_with_the_next_run(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"classes\.csv: the file is missing\. Run"):
        classes.read_classes(tmp_path / "classes.csv")


def test_a_subset_keeps_the_index_of_the_whole_set(synsets: pa.Table) -> None:
    table = classes.select_classes(synsets, [KIT_FOX, CAT], "original")
    assert table.select(["wnid", "class_index", "tf_label"]).to_pydict() == {
        "wnid": [CAT, KIT_FOX],
        "class_index": [0, 2],
        "tf_label": [1, 3],
    }


def test_a_renumbered_subset_counts_itself(synsets: pa.Table) -> None:
    table = classes.select_classes(synsets, [KIT_FOX, CAT], "renumbered")
    assert table.select(["wnid", "class_index", "tf_label"]).to_pydict() == {
        "wnid": [CAT, KIT_FOX],
        "class_index": [0, 1],
        "tf_label": [1, 2],
    }


@pytest.mark.parametrize(
    ("wnids", "problem"),
    [
        ([], "empty"),
        (["n99999999", CAT], "n99999999"),
        (["kit fox"], "kit fox"),
        ([CAT, PET], f"internal synset with classes below it: {PET}"),
        ([CAT, ANT, CAT], f"more than once: {CAT}"),
        ([f"n9999999{i}" for i in range(8)], "n99999994 and 3 more"),
    ],
)
def test_a_subset_that_cannot_be_is_told_with_its_wnids(synsets: pa.Table, wnids: list[str], problem: str) -> None:
    with pytest.raises(PrepError) as caught:
        classes.select_classes(synsets, wnids, "original")
    assert caught.value.place == "configuration key classes"
    assert problem in caught.value.problem


def test_validation_images_are_labelled_in_image_order(synsets: pa.Table) -> None:
    table = classes.validation_labels(GROUND_TRUTH, synsets, classes.select_classes(synsets, None, "original"))
    assert table.schema == classes.VALIDATION_LABELS
    assert table.to_pydict() == {
        "filename": [f"ILSVRC2012_val_0000000{i}.JPEG" for i in (1, 2, 3, 4)],
        "ilsvrc2012_id": [3, 1, 1, 2],
        "wnid": [ANT, KIT_FOX, KIT_FOX, CAT],
        "class_index": [1, 2, 2, 0],
    }


def test_validation_images_of_other_classes_are_left_out(synsets: pa.Table) -> None:
    subset = classes.select_classes(synsets, [KIT_FOX, CAT], "renumbered")
    table = classes.validation_labels(GROUND_TRUTH, synsets, subset)
    assert table["filename"].to_pylist() == [f"ILSVRC2012_val_0000000{i}.JPEG" for i in (2, 3, 4)]
    assert table["class_index"].to_pylist() == [1, 1, 0]


def test_the_hierarchy_repeats_a_synset_below_each_of_its_parents(synsets: pa.Table) -> None:
    cat = {"wnid": CAT, "words": "cat", "class_index": 0, "children": []}
    ant = {"wnid": ANT, "words": "ant", "class_index": 1, "children": []}
    fox = {"wnid": KIT_FOX, "words": "kit fox, Vulpes macrotis", "class_index": 2, "children": []}
    beast = {"wnid": BEAST, "words": "beast", "class_index": None, "children": [ant, cat, fox]}
    pet = {"wnid": PET, "words": "pet", "class_index": None, "children": [cat]}
    tree = classes.hierarchy(synsets, classes.select_classes(synsets, None, "original"))
    assert tree == {"wnid": ROOT, "words": "entity", "class_index": None, "children": [beast, pet]}


def test_the_hierarchy_of_a_subset_has_no_bare_branches(synsets: pa.Table) -> None:
    tree = classes.hierarchy(synsets, classes.select_classes(synsets, [ANT], "renumbered"))
    assert [(node["wnid"], node["class_index"]) for node in nodes(tree)] == [(ROOT, None), (BEAST, None), (ANT, 0)]


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Devkit:
    return read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")


def test_the_real_classes_have_their_known_numbers(real: Devkit) -> None:
    table = classes.select_classes(real.synsets, None, "original")
    by_index = table.to_pylist()
    assert [row["class_index"] for row in by_index] == list(range(1000))
    fox = by_index[278]
    assert (fox["wnid"], fox["ilsvrc2012_id"], fox["tf_label"]) == ("n02119789", 1, 279)
    assert (by_index[134]["wnid"], by_index[134]["words"]) == ("n02012849", "crane")
    assert (by_index[517]["wnid"], by_index[517]["words"]) == ("n03126707", "crane")
    assert [by_index[i]["words"].split(",")[0] for i in (638, 639)] == ["maillot", "maillot"]
    assert Counter(row["num_train_images"] for row in by_index)[1300] == 895
    assert (by_index[0]["wnid"], by_index[999]["wnid"]) == ("n01440764", "n15075141")


def test_the_real_validation_images_have_their_known_labels(real: Devkit) -> None:
    table = classes.validation_labels(
        real.ground_truth, real.synsets, classes.select_classes(real.synsets, None, "original")
    )
    assert table.num_rows == 50000
    assert table["class_index"].to_pylist()[:3] == [65, 970, 230]
    assert table["ilsvrc2012_id"].to_pylist()[:3] == [490, 361, 171]
    assert table["filename"].to_pylist()[-1] == "ILSVRC2012_val_00050000.JPEG"


def test_the_real_hierarchy_has_every_synset_and_every_path(real: Devkit) -> None:
    tree = classes.hierarchy(real.synsets, classes.select_classes(real.synsets, None, "original"))
    assert tree["words"] == "entity"
    places = Counter(node["wnid"] for node in nodes(tree))
    assert len(places) == 1860
    assert places.total() == 2391
    classes_below = Counter(node["class_index"] for node in nodes(tree) if node["class_index"] is not None)
    assert sorted(classes_below) == list(range(1000))
