"""What TensorFlow Datasets reads beside the shards fits the records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagenet_prep.formats import example
from imagenet_prep.products import tfds
from imagenet_prep.products.tfds import describe_imagenet, label_names
from imagenet_prep.products.tfrecord import encode_features

WNIDS = ["n02012849", "n02119789"]
TRAIN = {
    "split": "train",
    "files": {
        "train-00000-of-00002": {"records": 5, "bytes": 1000},
        "train-00001-of-00002": {"records": 4, "bytes": 700},
    },
}
ROW = {
    "label": 1,
    "wnid": WNIDS[0],
    "text": "crane",
    "filename": "a.JPEG",
    "format": "JPEG",
    "height": 20,
    "width": 10,
    **{side: [0.5] for side in ("xmin", "ymin", "xmax", "ymax")},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    describe_imagenet([TRAIN], label_names(WNIDS, 1), tmp_path)
    return tmp_path


def flattened(feature: dict[str, Any], name: str = "") -> dict[str, dict[str, Any]]:
    """The features by their names in a record."""
    if "featuresDict" not in feature:
        return {name: feature}
    found = {}
    for key, inner in feature["featuresDict"]["features"].items():
        found |= flattened(inner, f"{name}/{key}".lstrip("/"))
    return found


def features(folder: Path) -> dict[str, dict[str, Any]]:
    return flattened(json.loads((folder / tfds.FEATURES).read_text()))


def test_the_features_are_those_of_a_record(folder: Path) -> None:
    record = example.decode(example.around(encode_features(ROW), "image/encoded", 1) + b"x")
    assert features(folder).keys() == record.keys()


def test_numbers_have_the_kind_that_a_record_gives_them(folder: Path) -> None:
    record = example.decode(example.around(encode_features(ROW), "image/encoded", 1) + b"x")
    kinds = {int: "int64", float: "float32"}
    for name, feature in features(folder).items():
        if "tensor" in feature:
            assert feature["tensor"]["dtype"] == kinds[type(record[name][0])], name


def test_lists_of_any_length_are_the_boxes(folder: Path) -> None:
    lists = {name for name, feature in features(folder).items() if feature.get("tensor", {}).get("shape")}
    assert lists == {f"image/object/bbox/{name}" for name in ("label", "xmin", "ymin", "xmax", "ymax")}


def test_a_split_has_the_lengths_of_its_shards_in_order(folder: Path) -> None:
    (split,) = json.loads((folder / tfds.INFO).read_text())["splits"]
    assert split == {
        "name": "train",
        "filepathTemplate": "{SPLIT}-{SHARD_X_OF_Y}",
        "shardLengths": ["5", "4"],
        "numBytes": "1700",
    }


@pytest.mark.parametrize(("label_base", "names"), [(0, WNIDS), (1, ["background", *WNIDS])])
def test_the_name_of_a_label_stands_at_its_number(tmp_path: Path, label_base: int, names: list[str]) -> None:
    describe_imagenet([TRAIN], label_names(WNIDS, label_base), tmp_path)
    assert (tmp_path / tfds.LABEL_NAMES).read_text().splitlines() == names
    assert features(tmp_path)["image/class/label"]["classLabel"] == {"numClasses": str(len(names))}


def test_no_value_says_when_it_was_made(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    describe_imagenet([TRAIN], label_names(WNIDS, 1), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
