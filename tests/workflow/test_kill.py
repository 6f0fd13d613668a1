"""Killed in the middle of a stage and started again, the workflow ends where an undisturbed run does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from project import SMALL, Project, merged

# More images than elsewhere, so that every stage lasts long enough to be hit.
LARGER = merged(
    SMALL,
    {
        "use": ["train", "val", "devkit", "bbox_train", "bbox_val"],
        "products": ["imagefolder", "tfrecord", "tfrecord_index", "bboxes", "labels", "audit", "report"],
        "synthetic": {"train_images_per_class": 60, "val_images_per_class": 20, "max_side": 160},
    },
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("undisturbed"), LARGER)
    project.succeed()
    return project


@pytest.fixture
def fresh(undisturbed: Project, tmp_path: Path) -> Project:
    """Another project of which nothing is made yet."""
    return Project(tmp_path, LARGER)


Half = set[tuple[Path, int]]
"""What lies half-made somewhere: paths, with the numbers by which the file system tells one file from a later one."""


def scanning(project: Project) -> Half:
    return found(project.results / "state" / "archives", ".*.parquet.*.partial")


def extracting(project: Project) -> Half:
    return found(project.results / "imagefolder" / ".partial", "*/*.JPEG")


def converting(project: Project) -> Half:
    return found(project.results / "tfrecord", ".*.partial")


def auditing(project: Project) -> Half:
    done = (project.results / "audit.json").exists()
    return set() if done else found(project.results / "logs", "audit_products.log")


def found(folder: Path, pattern: str) -> Half:
    seen = set()
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # it was finished just now
            seen.add((path, path.stat().st_ino))
    return seen


def kill_in(stage: Callable[[Project], Half], project: Project, *arguments: str) -> None:
    """Kill a run in the middle of a stage, with what it was writing half-made."""
    left = stage(project)  # by an earlier run that was killed
    in_time = project.kill_when(lambda: bool(stage(project) - left), *arguments)
    assert in_time, f"the run ended before it could be killed while {stage.__name__}"
    assert stage(project) - left, f"the kill must have come while {stage.__name__}"


def test_a_run_killed_in_one_stage_after_the_other_is_finished_by_the_last_one_with_the_same_bytes(
    undisturbed: Project, fresh: Project
) -> None:
    for stage in (scanning, extracting, converting, auditing):
        kill_in(stage, fresh)
        fresh.succeed("--unlock")
    fresh.succeed()
    assert fresh.products() == undisturbed.products()
    leftovers = [path for path in fresh.results.rglob("*") if path.name.endswith(".partial")]
    assert leftovers == []
    assert fresh.run().nothing_done


def test_what_a_killed_run_left_half_made_does_not_outlive_a_changed_configuration(fresh: Project) -> None:
    kill_in(converting, fresh, "tfrecord")
    fresh.configure({"tfrecord": {"train_shards": 3, "validation_shards": 3}})

    refused = fresh.run("tfrecord")
    assert refused.code != 0
    assert "--unlock" in refused.terminal
    assert "Traceback" not in refused.terminal

    fresh.succeed("--unlock")
    fresh.succeed("tfrecord")
    names = sorted(path.name for path in (fresh.results / "tfrecord").iterdir() if "-of-" in path.name)
    assert names == [f"{split}-{shard:05d}-of-00003" for split in ("train", "validation") for shard in range(3)]
    assert not list((fresh.results / "tfrecord").glob(".*"))
