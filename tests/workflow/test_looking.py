"""What only looks changes nothing, whatever lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

import clones
from project import Project

OWN = ("logs",)

LOOKS = {
    "a dry run": ("-n",),
    "a dry run of one product": ("-n", "tfrecord_train"),
    "the list of rules": ("--list",),
    "the summary": ("--summary",),
    "the linter": ("--lint",),
    "an unlocking": ("--unlock",),
    "the space": ("space",),
    "the check": ("check",),
}


def damage(project: Project) -> None:
    """Have a link lead nowhere, a shard be gone, and a receipt of each kind too."""
    link = project.results / "archives" / "ILSVRC2012_img_val.tar"
    link.unlink()
    link.symlink_to("../../nowhere/ILSVRC2012_img_val.tar")
    clones.delete(project, "tfrecord/train-00001-*", "imagefolder/train/*[02468]")
    clones.delete(project, "state/archives/*devkit*", "state/**/*validation*.json")


@pytest.fixture
def damaged(project: Project) -> Project:
    """The finished project with all that."""
    damage(project)
    return project


@pytest.mark.parametrize("look", LOOKS)
def test_looking_leaves_every_file_of_a_damaged_tree_as_it_was(damaged: Project, look: str) -> None:
    before = clones.snapshot(damaged.results, *OWN)
    run = damaged.run(*LOOKS[look])
    assert "Traceback" not in run.terminal
    assert clones.snapshot(damaged.results, *OWN) == before


@pytest.mark.parametrize("look", ["-n", "space", "check"])
def test_looking_with_other_settings_from_a_new_clone_leaves_every_file_as_it_was(
    damaged: Project, tmp_path: Path, look: str
) -> None:
    clone = clones.new_clone(damaged, tmp_path / "clone")
    clone.configure({"tfrecord": {"train_shards": 3}, "shards": {"seed": 99}, "imagefolder": {"val_dirs": "index"}})
    before = clones.snapshot(clone.results, *OWN)
    clone.run(look)
    assert clones.snapshot(clone.results, *OWN) == before


def test_a_dry_run_and_a_check_see_what_is_missing(damaged: Project) -> None:
    assert "write_tfrecord" in damaged.succeed("-n").terminal
    check = damaged.run("check")
    assert check.code != 0
    assert "train-00001-of-00004" in check.terminal


def test_a_run_that_finds_the_folder_locked_leaves_every_file_as_it_was(project: Project) -> None:
    locks = project.folder / ".snakemake" / "locks"
    clones.delete(project, "audit.json")
    assert project.kill_when(lambda: any(locks.glob("*")))
    damage(project)
    before = clones.snapshot(project.results, *OWN)
    refused = project.run()
    assert refused.code != 0
    assert "--unlock" in refused.terminal
    assert clones.snapshot(project.results, *OWN) == before
    project.succeed("--unlock")
    assert clones.snapshot(project.results, *OWN) == before


def test_after_all_the_looking_a_run_makes_what_is_missing(damaged: Project, finished: Project) -> None:
    for look in LOOKS.values():
        damaged.run(*look)
    damaged.succeed()
    assert damaged.products() == finished.products()
