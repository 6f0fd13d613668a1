"""The list of classes that comes with the package."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.datasets.ilsvrc2012_classes import Class, classes


def test_there_are_1000_classes_by_index_and_by_sorted_wnid() -> None:
    assert [it.class_index for it in classes()] == list(range(1000))
    wnids = [it.wnid for it in classes()]
    assert wnids == sorted(set(wnids))


def test_the_devkit_numbers_them_from_1_to_1000() -> None:
    assert sorted(it.ilsvrc2012_id for it in classes()) == list(range(1, 1001))


def test_they_have_as_many_training_images_as_the_archive() -> None:
    counts = [it.num_train_images for it in classes()]
    assert (sum(counts), min(counts), max(counts), counts.count(1300)) == (1281167, 732, 1300, 895)


def test_the_kit_fox_is_the_first_of_the_devkit() -> None:
    assert classes()[278] == Class(278, "n02119789", 1, 1300, "kit fox, Vulpes macrotis")


def test_two_classes_are_called_crane_and_no_other_words_are_shared() -> None:
    count = Counter(it.words for it in classes())
    assert [words for words in count if count[words] > 1] == ["crane"]
    assert [it.class_index for it in classes() if it.words == "crane"] == [134, 517]


def test_of_two_classes_maillot_is_the_first_name() -> None:
    assert [it.class_index for it in classes() if it.words.split(", ")[0] == "maillot"] == [638, 639]


def test_they_are_those_of_the_real_devkit(shared_data: Path) -> None:
    synsets = read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz").synsets.to_pylist()
    leaves = sorted((row for row in synsets if not row["children"]), key=lambda row: row["wnid"])
    expected = [
        Class(index, row["wnid"], row["ilsvrc2012_id"], row["num_train_images"], row["words"])
        for index, row in enumerate(leaves)
    ]
    assert list(classes()) == expected


def test_reading_them_loads_neither_numpy_nor_pyarrow() -> None:
    program = """
import sys
from imagenet_prep.datasets.ilsvrc2012_classes import classes
classes()
print(sorted({"numpy", "pandas", "pyarrow", "scipy"} & sys.modules.keys()))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
