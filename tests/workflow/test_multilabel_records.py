"""The multi-label set as TFRecords, in the form that TensorFlow Datasets publishes, and when its archives go."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clones
from examples import read_split
from project import SMALL, Project, Run, merged

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
# More annotated images than the small project has, and nothing else.
CONFIG = merged(
    SMALL,
    {"synthetic": {"val_images_per_class": 15}, "products": PRODUCTS, "use": ["val", "devkit", "multilabel"]},
)
LEFT: dict[str, Any] = {"use": ["val", "devkit"], "products": ["labels", "audit"]}


def table(project: Project) -> pd.DataFrame:
    return pd.read_parquet(project.results / "tables" / "multilabel.parquet").set_index("file_name")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run, Run]:
    """A project of which the multi-label set is made, the space that was shown before, and the run that made it."""
    project = Project(tmp_path_factory.mktemp("annotated"), CONFIG)
    project.succeed("download")
    return project, project.succeed("space"), project.succeed()


@pytest.fixture
def annotated(runs: tuple[Project, Run, Run], tmp_path: Path) -> Project:
    """A copy of that project, to do with as one likes."""
    return runs[0].copy(tmp_path / "project")


def records(project: Project) -> list[str]:
    folder = project.results / "tfrecord_multilabel"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("which", [1, 2], ids=["space", "a run"])
def test_the_estimate_of_space_names_the_multilabel_set(runs: tuple[Project, Run, Run], which: int) -> None:
    run = runs[which]
    assert isinstance(run, Run)
    assert re.search(r"^ +tfrecord_multilabel\b.* [kM]?B +\d+$", run.terminal, re.MULTILINE), run.terminal


def test_of_a_multilabel_set_that_is_made_no_space_is_needed(runs: tuple[Project, Run, Run]) -> None:
    assert "tfrecord_multilabel" not in runs[0].succeed("space").terminal


@pytest.mark.parametrize("split", ["validation", "imagenet_m"])
def test_every_annotated_image_is_a_record_with_its_labels(split: str, runs: tuple[Project, Run, Run]) -> None:
    project = runs[0]
    rows = table(project)
    if split == "imagenet_m":
        rows = rows[rows["imagenet_m"]]
    found = read_split(project.results / "tfrecord_multilabel", split, name="file_name")
    assert sorted(found) == sorted(rows.index)
    assert found
    for name, features in found.items():
        assert features.keys() == FEATURES
        row = rows.loc[name]
        assert features["original_label"] == [row["original_label"]]
        assert features["is_problematic"] == [int(row["is_problematic"])]
        for judged in ("correct", "unclear", "wrong"):
            assert features[f"{judged}_multi_labels"] == row[f"{judged}_multi_labels"].tolist()


def test_their_images_are_the_bytes_of_the_archive(runs: tuple[Project, Run, Run]) -> None:
    project = runs[0]
    images = pd.read_parquet(project.results / "tables" / "images.parquet").set_index("filename")
    same = 0
    for name, features in read_split(project.results / "tfrecord_multilabel", "validation", name="file_name").items():
        row = images.loc[name]
        with open(project.results / "archives" / row["archive"], "rb") as archive:
            archive.seek(row["offset"])
            content = archive.read(row["length"])
        assert features["image"][0] == content or row["colorspace"] == "CMYK"
        same += features["image"][0] == content
    assert same > 20


def test_the_description_names_both_splits_and_the_seven_features(runs: tuple[Project, Run, Run]) -> None:
    project = runs[0]
    folder = project.results / "tfrecord_multilabel"
    info = json.loads((folder / "dataset_info.json").read_text())
    assert (info["name"], info["version"]) == ("imagenet2012_multilabel", "3.0.0")
    lengths = {split["name"]: sum(map(int, split["shardLengths"])) for split in info["splits"]}
    rows = table(project)
    assert lengths == {"validation": len(rows), "imagenet_m": int(rows["imagenet_m"].sum())}
    assert json.loads((folder / "features.json").read_text())["featuresDict"]["features"].keys() == FEATURES


def test_the_multilabel_set_goes_with_its_archives_and_comes_back(annotated: Project) -> None:
    assert any(name.startswith("validation-") for name in records(annotated))
    products, mine = annotated.products(), annotated.results / "tfrecord_multilabel" / "mine.txt"
    mine.write_text("mine")
    clones.forget(annotated)
    annotated.configure(LEFT)
    annotated.run()  # its audit finds that file
    assert records(annotated) == ["mine.txt"]
    assert mine.read_text() == "mine"
    mine.unlink()
    # What a single target makes of archives that are in use for a while goes with them, too.
    annotated.configure({"use": CONFIG["use"]})
    annotated.succeed("tfrecord_multilabel")
    assert any(name.startswith("validation-") for name in records(annotated))
    annotated.configure(LEFT)
    annotated.succeed()
    assert records(annotated) == []
    assert "tfrecord_multilabel" not in (annotated.results / "SHA256SUMS").read_text()
    annotated.configure({key: CONFIG[key] for key in ("use", "products")})
    annotated.succeed()
    assert annotated.products() == products
    assert annotated.run().nothing_done
