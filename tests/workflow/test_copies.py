"""Trees that were copied, and clones that are newer than what was made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import clones
from project import Project

FreshlyMade = Callable[[Project], dict[str, str]]

WITHOUT_PROFILE = ("--workflow-profile", "none")
SEED = {"shards": {"seed": 99}}


def copied(project: Project, folder: Path, times: bool) -> Project:
    """A copy without Snakemake's records: as `cp -a` makes it, or as `cp -r`."""
    ignored, how = shutil.ignore_patterns(".snakemake"), shutil.copy2 if times else shutil.copy
    shutil.copytree(project.folder, folder, symlinks=True, ignore=ignored, copy_function=how)
    return Project(folder)


def test_a_new_clone_whose_scripts_are_newer_than_the_products_has_nothing_to_do(
    project: Project, tmp_path: Path
) -> None:
    clone = clones.new_clone(project, tmp_path / "clone")
    assert clone.run().nothing_done
    assert clone.run(*WITHOUT_PROFILE, "--rerun-triggers", "mtime").nothing_done


def test_scripts_that_become_newer_than_the_products_leave_nothing_to_do(project: Project) -> None:
    clones.touch_sources(project)
    assert project.run().nothing_done
    assert project.run(*WITHOUT_PROFILE, "--rerun-triggers", "mtime").nothing_done


def test_without_the_profile_newer_scripts_make_nothing_wrong(
    project: Project, tmp_path: Path, freshly_made: FreshlyMade
) -> None:
    products = project.products()
    project = clones.new_clone(project, tmp_path / "clone")
    project.succeed(*WITHOUT_PROFILE)
    assert project.products() == products
    project.configure(SEED)
    project.succeed(*WITHOUT_PROFILE)
    assert project.products() == freshly_made(project)


def test_a_copy_with_its_times_has_nothing_to_do(project: Project, tmp_path: Path) -> None:
    copy = copied(project, tmp_path / "copy", times=True)
    times = copy.times()
    assert copy.run().nothing_done
    assert copy.times() == times
    assert copy.run(*WITHOUT_PROFILE, "--rerun-triggers", "mtime").nothing_done


@pytest.mark.parametrize("profile", [(), WITHOUT_PROFILE], ids=["with the profile", "without it"])
def test_a_copy_that_lost_its_times_is_never_wrong(
    project: Project, tmp_path: Path, freshly_made: FreshlyMade, profile: tuple[str, ...]
) -> None:
    copy = copied(project, tmp_path / "copy", times=False)
    copy.succeed(*profile)
    assert copy.products() == project.products()
    assert copy.run(*profile).nothing_done
    copy.configure(SEED)
    clones.forget(copy)
    copy.succeed(*profile)
    assert copy.products() == freshly_made(copy)


def test_another_setting_in_a_copy_that_lost_its_times_is_noticed_at_once(
    project: Project, tmp_path: Path, freshly_made: FreshlyMade
) -> None:
    copy = copied(project, tmp_path / "copy", times=False)
    copy.configure({"tfrecord": {"label_base": 0}, "imagefolder": {"val_dirs": "index"}})
    copy.succeed()
    assert copy.products() == freshly_made(copy)


def test_the_demo_made_again_after_its_results_were_deleted_leaves_its_archives_and_then_has_nothing_to_do(
    project: Project,
) -> None:
    products, archives = project.products(), clones.snapshot(project.archives)
    shutil.rmtree(project.results)
    run = project.succeed()
    assert "synthesize_archives" not in run.rules
    assert clones.snapshot(project.archives) == archives
    assert project.products() == products
    assert "Nothing to be done" in project.succeed("-n").terminal
    assert project.run().nothing_done


def test_a_new_clone_takes_the_demo_archives_that_are_there(project: Project, tmp_path: Path) -> None:
    products, archives = project.products(), clones.snapshot(project.archives)
    shutil.rmtree(project.results)
    clone = clones.new_clone(project, tmp_path / "clone")
    clone.succeed()
    assert clones.snapshot(clone.archives) == archives
    assert clone.products() == products
    assert "Nothing to be done" in clone.succeed("-n").terminal
