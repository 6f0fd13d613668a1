"""The multi-label set as TFRecords, in the form that TensorFlow Datasets publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from examples import read_split
from project import SMALL, Project, merged

PRODUCTS = ["multilabel", "tfrecord_multilabel", "audit"]
FEATURES = {
    "correct_multi_labels",
    "file_name",
    "image",
    "is_problematic",
    "original_label",
    "unclear_multi_labels",
    "wrong_multi_labels",
}


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with more annotated images than the small one, of which the multi-label set alone is made."""
    changes = {"synthetic": {"val_images_per_class": 15}, "products": PRODUCTS, "use": ["val", "devkit", "multilabel"]}
    config = merged(SMALL, changes)
    project = Project(tmp_path_factory.mktemp("annotated"), config)
    project.succeed()
    return project


def table(project: Project) -> pd.DataFrame:
    return pd.read_parquet(project.results / "tables" / "multilabel.parquet").set_index("file_name")


@pytest.mark.parametrize("split", ["validation", "imagenet_m"])
def test_every_annotated_image_is_a_record_with_its_labels(split: str, annotated: Project) -> None:
    rows = table(annotated)
    if split == "imagenet_m":
        rows = rows[rows["imagenet_m"]]
    records = read_split(annotated.results / "tfrecord_multilabel", split, name="file_name")
    assert sorted(records) == sorted(rows.index)
    assert records
    for name, features in records.items():
        assert features.keys() == FEATURES
        row = rows.loc[name]
        assert features["original_label"] == [row["original_label"]]
        assert features["is_problematic"] == [int(row["is_problematic"])]
        for judged in ("correct", "unclear", "wrong"):
            assert features[f"{judged}_multi_labels"] == row[f"{judged}_multi_labels"].tolist()


def test_their_images_are_the_bytes_of_the_archive(annotated: Project) -> None:
    images = pd.read_parquet(annotated.results / "tables" / "images.parquet").set_index("filename")
    same = 0
    for name, features in read_split(annotated.results / "tfrecord_multilabel", "validation", name="file_name").items():
        row = images.loc[name]
        with open(annotated.results / "archives" / row["archive"], "rb") as archive:
            archive.seek(row["offset"])
            content = archive.read(row["length"])
        assert features["image"][0] == content or row["colorspace"] == "CMYK"
        same += features["image"][0] == content
    assert same > 20


def test_the_description_names_both_splits_and_the_seven_features(annotated: Project) -> None:
    folder = annotated.results / "tfrecord_multilabel"
    info = json.loads((folder / "dataset_info.json").read_text())
    assert (info["name"], info["version"]) == ("imagenet2012_multilabel", "3.0.0")
    lengths = {split["name"]: sum(map(int, split["shardLengths"])) for split in info["splits"]}
    rows = table(annotated)
    assert lengths == {"validation": len(rows), "imagenet_m": int(rows["imagenet_m"].sum())}
    assert json.loads((folder / "features.json").read_text())["featuresDict"]["features"].keys() == FEATURES


def test_a_deleted_shard_comes_back_and_a_damaged_one_is_named(annotated: Project, tmp_path: Path) -> None:
    project = annotated.copy(tmp_path / "project")
    products = project.products()
    shard = project.results / "tfrecord_multilabel" / "validation-00001-of-00002"
    shard.unlink()
    project.succeed()
    assert project.products() == products

    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    run = project.run("check")
    assert run.code != 0
    assert shard.name in run.last_line


def test_another_shard_count_leaves_no_old_shard(annotated: Project, tmp_path: Path) -> None:
    project = annotated.copy(tmp_path / "project")
    project.configure({"tfrecord": {"validation_shards": 3}})
    project.succeed()
    names = sorted(path.name for path in (project.results / "tfrecord_multilabel").glob("validation-*"))
    assert names == [f"validation-{shard:05d}-of-00003" for shard in range(3)]


def test_without_an_image_of_imagenet_m_that_split_is_not_there(annotated: Project, tmp_path: Path) -> None:
    project = annotated.copy(tmp_path / "few")
    rows = table(project)
    hard = set(rows["original_label"][rows["imagenet_m"]])
    classes = pd.read_csv(project.results / "labels" / "classes.csv")
    others = classes["wnid"][~classes["class_index"].isin(hard)].tolist()
    project.configure({"classes": others, "subset_labels": "original"})
    project.succeed("tfrecord_multilabel", "audit")
    folder = project.results / "tfrecord_multilabel"
    assert list(folder.glob("imagenet_m-*")) == []
    info = json.loads((folder / "dataset_info.json").read_text())
    assert [split["name"] for split in info["splits"]] == ["validation"]
