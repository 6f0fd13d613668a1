"""The multi-label set as TFRecords when its archives leave the configuration, and in the estimate of space."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import clones
from project import SMALL, Project, Run, merged

PRODUCTS = ["multilabel", "tfrecord_multilabel", "audit"]
CONFIG = merged(
    SMALL,
    {
        "synthetic": {"val_images_per_class": 15, "train_images_per_class": 4},
        "products": PRODUCTS,
        "use": ["train", "val", "devkit", "multilabel"],
    },
)

# By the archive that goes, what is left.
LEFT: dict[str, dict[str, Any]] = {
    "multilabel": {"use": ["train", "val", "devkit"], "products": ["labels", "audit"]},
    "val": {"use": ["train", "devkit", "multilabel"], "products": ["multilabel", "audit"]},
    "val and multilabel": {"use": ["train", "devkit"], "products": ["labels", "audit"]},
}


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


@pytest.mark.parametrize("gone", LEFT)
def test_the_multilabel_set_goes_with_its_archives(annotated: Project, gone: str) -> None:
    assert any(name.startswith("validation-") for name in records(annotated))
    clones.forget(annotated)
    annotated.configure(LEFT[gone])
    annotated.succeed()
    assert records(annotated) == []
    assert "tfrecord_multilabel" not in (annotated.results / "SHA256SUMS").read_text()


def test_a_file_of_the_users_stays_where_the_multilabel_set_was(annotated: Project) -> None:
    mine = annotated.results / "tfrecord_multilabel" / "mine.txt"
    mine.write_text("mine")
    annotated.configure(LEFT["multilabel"])
    annotated.run()
    assert records(annotated) == ["mine.txt"]
    assert mine.read_text() == "mine"


def test_the_multilabel_set_comes_back_with_its_archives(annotated: Project) -> None:
    products = annotated.products()
    annotated.configure(LEFT["multilabel"])
    annotated.succeed()
    annotated.configure({key: CONFIG[key] for key in ("use", "products")})
    annotated.succeed()
    assert annotated.products() == products
    assert annotated.run().nothing_done


def test_what_a_single_target_made_of_other_archives_goes_when_they_are_out_of_use_again(annotated: Project) -> None:
    annotated.configure(LEFT["multilabel"])
    annotated.succeed()
    annotated.configure({"use": CONFIG["use"]})
    annotated.succeed("tfrecord_multilabel", "imagefolder_train")
    annotated.configure({"use": ["val", "devkit"]})
    annotated.succeed()
    assert records(annotated) == []
    assert not (annotated.results / "imagefolder" / "train").exists()
