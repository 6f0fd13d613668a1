"""Trees that were copied, and clones that are newer than what was made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import clones
from project import OTHER, Project

WITHOUT_PROFILE = ("--workflow-profile", "none")


def copied(project: Project, folder: Path, times: bool) -> Project:
    """A copy without Snakemake's records: as `cp -a` makes it, or as `cp -r`."""
    ignored, how = shutil.ignore_patterns(".snakemake"), shutil.copy2 if times else shutil.copy
    shutil.copytree(project.folder, folder, symlinks=True, ignore=ignored, copy_function=how)
    return Project(folder)


def test_a_new_clone_with_newer_scripts_has_nothing_to_do(project: Project, tmp_path: Path) -> None:
    clone = clones.new_clone(project, tmp_path / "clone")
    assert clone.run().nothing_done
    assert clone.run(*WITHOUT_PROFILE, "--rerun-triggers", "mtime").nothing_done


def test_a_copy_with_its_times_has_nothing_to_do(own_finished: Project, tmp_path: Path) -> None:
    copy = copied(own_finished, tmp_path / "copy", times=True)
    times = copy.times()
    assert copy.run().nothing_done
    assert copy.times() == times
    assert copy.run(*WITHOUT_PROFILE, "--rerun-triggers", "mtime").nothing_done


# Snakemake by itself makes all again whose scripts are newer. A small target shows that, and what is made then.
@pytest.mark.parametrize("profile", [(), WITHOUT_PROFILE], ids=["with the profile", "without it"])
def test_a_copy_that_lost_its_times_is_never_wrong(
    own_finished: Project, own_other: dict[str, str], tmp_path: Path, profile: tuple[str, ...]
) -> None:
    copy = copied(own_finished, tmp_path / "copy", times=False)
    clones.touch_sources(copy)
    first = copy.succeed(*profile, "tfrecord_validation")
    assert copy.products() == own_finished.products()
    assert "write_imagefolder" not in first.rules
    # What was made anew is looked through by itself, since what was said of all products no longer holds.
    assert copy.succeed(*profile, "tfrecord_validation").rules <= {"remove_leftovers", "tfrecord_validation"}
    assert copy.run(*profile, "tfrecord_validation").nothing_done
    copy.configure(OTHER)
    clones.forget(copy)
    copy.succeed(*profile, "tfrecord_validation")
    expected = {path: it for path, it in own_other.items() if path.startswith("tfrecord/validation-")}
    assert expected.items() <= copy.products().items()


def test_a_new_clone_takes_the_demo_archives_that_are_there(project: Project, tmp_path: Path) -> None:
    products, archives = project.products(), clones.snapshot(project.archives)
    shutil.rmtree(project.results)
    clone = clones.new_clone(project, tmp_path / "clone")
    targets = ("labels", "imagefolder_test")
    run = clone.succeed(*targets)
    assert "synthesize_archives" not in run.rules
    assert clones.snapshot(clone.archives) == archives
    expected = {path: it for path, it in products.items() if path.startswith(("labels/", "imagefolder/test/"))}
    assert expected.items() <= clone.products().items()
    assert clone.run("-n", *targets).nothing_done
