"""The multi-label set is what TensorFlow Datasets publishes, and the evaluation that is published with it runs."""

from __future__ import annotations

import importlib.resources
import json
import re
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import tensorflow_datasets as tfds

from project import Project, merged
from readers.reading import Reading
from readers.snippets import run, snippet
from real_archives import CONFIG

DATASET = "imagenet2012_multilabel"
SPLITS = ("validation", "imagenet_m")
JUDGEMENTS = ("correct", "unclear", "wrong")
RAW = {"image": tfds.decode.SkipDecoding()}
FOLDER = "results/tfrecord_multilabel"

Examples = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def annotated(real: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The real annotations of all classes."""
    project = Project(tmp_path_factory.mktemp("annotated"), {})
    project.write_config(merged(CONFIG, {"archives_dir": str(real.archives)}))
    project.succeed("tfrecord_multilabel", "bboxes", "labels", "results/tables/images.parquet")
    return project


@pytest.fixture(scope="session", params=["demo", "annotated"])
def split(request: pytest.FixtureRequest) -> Reading:
    """The annotated images are validation images."""
    return Reading(request.getfixturevalue(request.param), "validation")


@pytest.fixture
def table(reading: Reading) -> pd.DataFrame:
    """tables/multilabel.parquet by file name."""
    return pd.read_parquet("results/tables/multilabel.parquet").set_index("file_name")


@pytest.fixture(scope="session")
def published(real: Project, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """TFDS's own builder, which has made its dataset of the archives that ours is made of."""
    builder = tfds.builder(DATASET, data_dir=tmp_path_factory.mktemp("tfds"))
    annotations = str(real.archives / "human_accuracy_v3.0.0.json")
    with mock.patch.object(tfds.download.DownloadManager, "download", return_value=annotations):
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=str(real.archives)))
    return builder


def by_name(examples: Any) -> Examples:
    return {example["file_name"].decode(): example for example in tfds.as_numpy(examples)}


def test_the_readmes_code_finds_every_annotated_image(reading: Reading, table: pd.DataFrame) -> None:
    examples = by_name(run("TFDS, multi-label")["ds"])
    assert sorted(examples) == sorted(table.index)
    for name, example in examples.items():
        assert reading.images[name].looks_like(example["image"]), name


@pytest.mark.parametrize("part", SPLITS)
def test_a_split_has_the_labels_of_the_table(reading: Reading, table: pd.DataFrame, part: str) -> None:
    builder = tfds.builder_from_directory(FOLDER)
    rows = table[table["imagenet_m"]] if part == "imagenet_m" else table
    examples = by_name(builder.as_dataset(split=part, decoders=RAW))
    assert sorted(examples) == sorted(rows.index)
    assert builder.info.splits[part].num_examples == len(rows) > 0
    for name, row in rows.iterrows():
        example = examples[name]
        assert reading.images[name].is_content(example["image"])
        assert example["original_label"] == row["original_label"] == reading.images[name].index
        assert example["is_problematic"] == row["is_problematic"]
        for judgement in JUDGEMENTS:
            assert example[f"{judgement}_multi_labels"].tolist() == row[f"{judgement}_multi_labels"].tolist()


def test_the_name_of_a_label_is_the_wnid(reading: Reading) -> None:
    features = tfds.builder_from_directory(FOLDER).info.features
    for image in reading.images.values():
        assert features["original_label"].int2str(image.index) == image.wnid
        for judgement in JUDGEMENTS:
            assert features[f"{judgement}_multi_labels"].feature.int2str(image.index) == image.wnid


def test_the_seven_features_are_those_of_the_published_builder(annotated: Project) -> None:
    ours = tfds.builder_from_directory(annotated.results / "tfrecord_multilabel")
    theirs = tfds.builder(DATASET)
    assert (ours.name, ours.version) == (theirs.name, theirs.version) == (DATASET, "3.0.0")
    assert len(ours.info.features) == 7
    assert ours.info.features.get_tensor_info() == theirs.info.features.get_tensor_info()
    assert ours.info.features["original_label"].names == theirs.info.features["original_label"].names


@pytest.mark.parametrize("part", SPLITS)
def test_every_example_is_that_of_the_published_builder(annotated: Project, published: Any, part: str) -> None:
    builder = tfds.builder_from_directory(annotated.results / "tfrecord_multilabel")
    ours = by_name(builder.as_dataset(part, decoders=RAW))
    theirs = by_name(published.as_dataset(part, decoders=RAW))
    assert ours
    np.testing.assert_equal(ours, theirs)


def evaluation() -> str:
    """The loop that TFDS publishes with the dataset.

    Its typing errors are mended, the line that loads the dataset is the README's, and instead of all 1000 classes those
    count that have annotated images.
    """
    text = (importlib.resources.files(tfds) / "datasets" / DATASET / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for published, changed in (
        ("import tensorflow_datasets as tfds\n", ""),
        (f"ds = tfds.load('{DATASET}', split='validation')\n", snippet("TFDS, multi-label")),
        ("\u2018is_problematic\u2019", "'is_problematic'"),
        ("cur_pred is in", "cur_pred in"),
        ("num_classes = 1000", "num_classes = len(classes)"),
        ("range(num_classes)", "classes"),
    ):
        assert published in code
        code = code.replace(published, changed)
    return code


def test_the_published_evaluation_gives_the_accuracy_of_its_definition(reading: Reading, table: pd.DataFrame) -> None:
    # Some predictions are right, some are unclear and some are wrong.
    pools = table["wrong_multi_labels"].map(list) + table["unclear_multi_labels"].map(list)
    pools += table["correct_multi_labels"].map(list)
    predictions = {name: pool[position % len(pool)] for position, (name, pool) in enumerate(pools.items())}

    judged = table[~table["is_problematic"]]
    right = [
        predictions[name] in {*row["correct_multi_labels"], *row["unclear_multi_labels"]}
        for name, row in judged.iterrows()
    ]
    accuracy = judged.assign(right=right).groupby("original_label")["right"].mean().mean()
    assert 0.1 < accuracy < 0.9

    names = {"predictions": with_bytes(predictions), "classes": set(judged["original_label"])}
    exec(evaluation(), names)
    assert names["final_avg"] == pytest.approx(accuracy)


def test_the_published_evaluation_scores_the_demo_the_same(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    judged = pd.read_parquet("results/tables/multilabel.parquet").query("not is_problematic")
    predictions = pd.read_csv("predictions/demo.csv").set_index("filename")["top1"]
    names = {"predictions": with_bytes(dict(predictions)), "classes": set(judged["original_label"])}
    exec(evaluation(), names)
    score = json.loads((demo.results / "scores" / "demo.json").read_text())["multilabel"]["accuracy"]
    assert names["final_avg"] == pytest.approx(score)


def with_bytes(predictions: dict[str, int]) -> dict[bytes, int]:
    """The predictions by file names as TensorFlow gives them."""
    return {name.encode(): prediction for name, prediction in predictions.items()}
