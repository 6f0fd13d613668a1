"""Killed in the middle of a stage and started again, the workflow ends where an undisturbed run does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from project import SMALL, Project, merged

# More images than elsewhere, so that every stage lasts long enough to be hit.
LARGER = merged(SMALL, {"synthetic": {"train_images_per_class": 60, "val_images_per_class": 20, "max_side": 160}})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("undisturbed"), LARGER)
    project.succeed()
    return project


@pytest.fixture
def fresh(undisturbed: Project, tmp_path: Path) -> Project:
    """Another project of which nothing is made yet."""
    return Project(tmp_path, LARGER)


def scanning(project: Project) -> bool:
    return any((project.results / "state" / "archives").glob(".*.parquet.*.partial"))


def extracting(project: Project) -> bool:
    return any((project.results / "imagefolder" / ".partial").glob("*/*.JPEG"))


def converting(project: Project) -> bool:
    return any((project.results / "tfrecord").glob(".*.partial"))


def auditing(project: Project) -> bool:
    log = project.results / "logs" / "audit_products.log"
    return log.exists() and not (project.results / "audit.json").exists()


@pytest.mark.parametrize("stage", [scanning, extracting, converting, auditing])
def test_a_run_killed_in_this_stage_is_finished_by_the_next_one_with_the_same_bytes(
    stage: Callable[[Project], bool], undisturbed: Project, fresh: Project
) -> None:
    assert fresh.kill_when(lambda: stage(fresh)), "the run ended before it could be killed"
    assert stage(fresh), "the kill must have hit this stage: what it was writing lies there half-made"
    fresh.succeed("--unlock")
    fresh.succeed()
    assert fresh.products() == undisturbed.products()
    leftovers = [path for path in fresh.results.rglob("*") if path.name.endswith(".partial")]
    assert leftovers == []
    assert fresh.run().nothing_done


def test_what_a_killed_run_left_half_made_does_not_outlive_a_changed_configuration(fresh: Project) -> None:
    assert fresh.kill_when(lambda: converting(fresh), "tfrecords")
    fresh.succeed("--unlock")
    fresh.configure({"tfrecord": {"train_shards": 3, "validation_shards": 3}})
    fresh.succeed()
    names = sorted(path.name for path in (fresh.results / "tfrecord").iterdir() if "-of-" in path.name)
    assert names == [f"{split}-{shard:05d}-of-00003" for split in ("train", "validation") for shard in range(3)]
    assert not list((fresh.results / "tfrecord").glob(".*"))


def test_a_run_after_a_kill_says_how_to_unlock(fresh: Project) -> None:
    assert fresh.kill_when(lambda: scanning(fresh))
    run = fresh.run()
    assert run.code != 0
    assert "--unlock" in run.terminal
    assert "Traceback" not in run.terminal
