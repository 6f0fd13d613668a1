"""Classes and validation labels that came with images, where there is no devkit."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import CRANE, FOX, MACHINE, is_one_line, tar
from imagenet_prep.datasets.classes import hierarchy, select_classes, validation_labels
from imagenet_prep.datasets.devkit import Devkit, read_devkit
from imagenet_prep.errors import PrepError

MAPPING = f"{CRANE} crane\n{FOX} kit fox, Vulpes macrotis\n{MACHINE} crane\n"
SOLUTION = (
    f"ImageId,PredictionString\nILSVRC2012_val_00000002,{CRANE} 1 2 3 4 \nILSVRC2012_val_00000001,{FOX} 1 2 3 4\n"
)
NAMES = f"ILSVRC2012_val_00000001.JPEG,{FOX}\nILSVRC2012_val_00000002.JPEG,{CRANE}\n"


def given(folder: Path, **lists: str) -> Devkit:
    names = {"mapping": "LOC_synset_mapping.txt", "solution": "a/LOC_val_solution.csv", "labels": "val_labels.csv"}
    path = folder / "labels.tar"
    path.write_bytes(tar({names[name]: text.encode() for name, text in lists.items()}))
    return read_devkit(path)


def test_the_lists_of_kaggle_tell_classes_and_labels(tmp_path: Path) -> None:
    devkit = given(tmp_path, mapping=MAPPING, solution=SOLUTION)
    classes = select_classes(devkit.synsets, None, "original")
    assert classes["wnid"].to_pylist() == [CRANE, FOX, MACHINE]
    assert classes["words"].to_pylist() == ["crane", "kit fox, Vulpes macrotis", "crane"]
    labels = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    assert labels["class_index"].to_pylist() == [1, 0]
    assert labels["wnid"].to_pylist() == [FOX, CRANE]


def test_what_only_the_devkit_says_is_null(tmp_path: Path) -> None:
    devkit = given(tmp_path, mapping=MAPPING, solution=SOLUTION)
    classes = select_classes(devkit.synsets, None, "original")
    for name in ("ilsvrc2012_id", "num_train_images"):
        assert classes[name].null_count == 3
    assert validation_labels(devkit.ground_truth, devkit.synsets, classes)["ilsvrc2012_id"].null_count == 2
    assert hierarchy(devkit.synsets, classes) is None


def test_names_of_images_are_of_the_1000_published_classes(tmp_path: Path) -> None:
    devkit = given(tmp_path, labels=NAMES)
    classes = select_classes(devkit.synsets, None, "original")
    assert len(classes) == 1000
    labels = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    assert labels["wnid"].to_pylist() == [FOX, CRANE]
    assert labels["class_index"].to_pylist() == [278, 134]
    by_index = given(tmp_path, labels=NAMES.replace(FOX, "278").replace(CRANE, "134"))
    assert by_index.ground_truth.tolist() == devkit.ground_truth.tolist()


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"mapping": MAPPING, "solution": SOLUTION.replace(FOX, "n09999999")}, "n09999999 is none of the 3 classes"),
        ({"labels": NAMES.replace("00002", "00003")}, "this one has no label"),
        ({"labels": NAMES.replace("00002", "00001")}, f"it has two labels, {FOX} and {CRANE}"),
    ],
)
def test_lists_that_make_no_sense_are_named(tmp_path: Path, lists: dict[str, str], problem: str) -> None:
    with pytest.raises(PrepError) as caught:
        given(tmp_path, **lists)
    assert problem in caught.value.problem
    assert is_one_line(caught.value)
