"""Space is looked at before anything is made, and shown when it is asked for."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path

import pytest

from damage import expect_clear_end, path_of
from imagenet_prep import filesystem
from project import SMALL, Project


@pytest.fixture
def limited(tmp_path: Path) -> tuple[str, ...]:
    """What to run a command with, so that a quota leaves it 100 KiB where this test writes."""
    place = os.fspath(filesystem.file_system_at(tmp_path).place)
    if place not in filesystem._mounts():
        pytest.skip("what is mounted here is not known")
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "quota").write_text(f'#!/bin/sh\necho "{filesystem._mounts()[place][1]} 900 0 1000 5 0 0"\n')
    (programs / "quota").chmod(0o755)
    return ("env", f"PATH={programs}:{os.environ['PATH']}")


def test_the_space_is_shown_and_too_little_is_an_error(labelled: Project, limited: tuple[str, ...]) -> None:
    before = labelled.products()
    enough, too_little = labelled.succeed("space"), labelled.run("space", prefix=limited)
    for run in (enough, too_little):
        assert "imagefolder train" in run.terminal
        assert "tfrecord validation" in run.terminal
        assert "all of it" in run.terminal
        assert "archive val" not in run.terminal, "it lies there"
    expect_clear_end(labelled, too_little, "there is too little space within your quota")
    assert "free (your quota)" in too_little.terminal
    assert labelled.products() == before


def test_where_everything_is_made_no_space_is_needed(project: Project) -> None:
    assert "Nothing is left to be made" in project.succeed("space").terminal


def test_a_run_shows_what_it_needs_itself(labelled: Project) -> None:
    run = labelled.succeed("imagefolder_validation")
    assert "imagefolder validation" in run.terminal
    assert "imagefolder train" not in run.terminal
    assert "tfrecord" not in run.terminal


def test_too_little_space_ends_a_run_that_needs_some(labelled: Project, limited: tuple[str, ...]) -> None:
    before = labelled.products()
    run = labelled.run(prefix=limited)
    expect_clear_end(labelled, run, "there is too little space within your quota", "102.4 kB are free")
    assert run.rules == set()
    assert labelled.products() == before
    assert labelled.run("-n", prefix=limited).code == 0
    (labelled.results / "labels" / "classes.csv").unlink()
    assert labelled.run("labels", prefix=limited).code == 0, "nor is the folder locked"


def test_an_unpacked_devkit_is_accepted_and_links_are_told(labelled: Project, tmp_path: Path) -> None:
    devkit, elsewhere = path_of(labelled, "devkit"), tmp_path / "val_of_a_colleague.tar"
    packed = devkit.read_bytes()
    unpacked = gzip.decompress(packed)
    devkit.write_bytes(unpacked)
    checksum = hashlib.sha256(unpacked).hexdigest()
    settings = {"md5": hashlib.md5(packed).hexdigest(), "bytes": len(packed), "unpacked_sha256": checksum}
    path_of(labelled, "val").rename(elsewhere)
    path_of(labelled, "val").symlink_to(elsewhere)
    labelled.configure({"archives": {"devkit": settings}, "use": ["devkit", "val"], "products": ["labels"]})
    before = labelled.products()
    run = labelled.succeed("labels", "verify")
    assert "is not compressed" in run.terminal
    assert checksum in (labelled.results / "verified" / "devkit.json").read_text()
    assert labelled.products()["labels/classes.csv"] == before["labels/classes.csv"]
    assert f"ILSVRC2012_img_val.tar is the file {elsewhere}" in run.terminal
    assert '"file": "ILSVRC2012_img_val.tar"' in (labelled.results / "verified" / "val.json").read_text()


def test_archives_that_are_to_be_made_up_are_among_what_a_run_needs(tmp_path: Path) -> None:
    run = Project(tmp_path, SMALL).succeed("download")
    assert re.search(r"^ *archive train +\d", run.terminal, re.MULTILINE)
