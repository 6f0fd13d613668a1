"""A change of settings that is killed midway, and then taken back or gone on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import clones
from project import Project

FreshlyMade = Callable[[Project], dict[str, str]]

OTHER: dict[str, Any] = {
    "tfrecord": {"label_base": 0},
    "shards": {"seed": 99},
    "imagefolder": {"val_dirs": "index"},
    "subset_labels": "renumbered",
}

# The moments are those at which the first of these has other bytes than before, or is gone.
MOMENTS = [
    "labels/classes.csv",
    "tables/images.parquet",
    "imagefolder/train",
    "tfrecord/train-0000[01]-*",
    "tfrecord/validation-*",
    "tfrecord/dataset_info.json",
    "tfrecord_index/train-*",
    "SHA256SUMS",
]


def state(project: Project, pattern: str) -> set[tuple[str, int]]:
    """What matches, or lies in a folder that matches, each with its inode."""
    seen = set()
    for path in (*project.results.glob(pattern), *project.results.glob(f"{pattern}/*")):
        try:
            seen.add((path.name, 0 if path.is_dir() else path.stat().st_ino))
        except FileNotFoundError:  # replaced just now
            seen.add((path.name, -1))
    return seen


def others(project: Project) -> dict[str, Any]:
    """Settings of which almost nothing is made as it is now."""
    classes = [line.split()[0] for line in (project.results / "labels" / "wnid_to_index.txt").read_text().splitlines()]
    return OTHER | {"classes": classes[1:5]}


def change_and_kill(project: Project, pattern: str, changes: dict[str, Any]) -> bool:
    """Run with other settings, and kill all as soon as something of this is another; return whether it came to it.

    The settings are then the first ones again.
    """
    before, first = state(project, pattern), (project.folder / "test.yaml").read_text()
    project.configure(changes)
    in_time = project.kill_when(lambda: state(project, pattern) != before)
    (project.folder / "test.yaml").write_text(first)
    return in_time


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_on_the_way_to_other_settings_a_run_with_the_first_ones_gives_all_that_they_make(
    project: Project, moment: str
) -> None:
    products = project.products()
    assert change_and_kill(project, moment, others(project)), "the run ended before it could be killed"
    clones.forget(project)
    project.succeed()
    assert project.products() == products
    assert project.run().nothing_done


def test_killed_again_and_again_on_the_way_there_and_back_it_ends_with_what_the_last_settings_make(
    project: Project, freshly_made: FreshlyMade
) -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("tfrecord/train-0000[23]-*", {"shards": {"seed": 1}}),
        ("imagefolder/val", {"imagefolder": {"val_dirs": "index"}}),
        ("tfrecord/validation-*", {"shards": {"seed": 2}}),
    ]
    for moment, settings in changes:
        assert change_and_kill(project, moment, settings), "the run ended before it could be killed"
        clones.forget(project)
    project.configure({"shards": {"seed": 99}})
    project.succeed()
    assert project.products() == freshly_made(project)
