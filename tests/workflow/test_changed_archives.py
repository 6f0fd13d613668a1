"""Archives that are touched, changed, or away for a while, alone and beside another change."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

import clones
from builders import tar
from damage import expect_clear_end, files, last_errors, path_of
from project import Project

FreshlyMade = Callable[[Project], dict[str, str]]

REVERIFY = {"fetch_archive", "scan_archive", "verify_archive", "all"}
BASE = {"tfrecord": {"label_base": 0}}
# Snakemake compares small files by content; the archives of image sets are far larger than what it takes for small.
LARGE = ("--max-checksum-file-size", "100000")
FUTURE = datetime(2030, 1, 1).timestamp()


def images_of(project: Project) -> dict[str, int]:
    """The modification times of all image files."""
    return {path: time for path, time in project.times().items() if path.startswith("imagefolder/")}


def exchange_two_images(archive: Path) -> list[str]:
    """Rewrite an archive with the contents of its first two images exchanged; return their names."""
    members = files(archive.read_bytes())
    first, second, *_ = sorted(members)
    members[first], members[second] = members[second], members[first]
    archive.write_bytes(tar(members))
    return [first, second]


def content_of(project: Project, name: str) -> bytes:
    """The bytes of a validation image in its class folder."""
    (path,) = (project.results / "imagefolder" / "val").glob(f"*/{name}")
    return path.read_bytes()


@pytest.fixture(params=["made up", "own"])
def either(request: pytest.FixtureRequest) -> Project:
    """A finished project, of archives that the workflow made up, or of the user's own."""
    found: Project = request.getfixturevalue({"made up": "project", "own": "own"}[request.param])
    return found


def test_an_archive_from_the_future_is_verified_once(either: Project) -> None:
    assert path_of(either, "train").stat().st_size > int(LARGE[1])
    times = either.times()
    os.utime(path_of(either, "train"), (FUTURE, FUTURE))
    clones.forget(either)
    assert either.succeed(*LARGE).rules <= REVERIFY
    assert either.run(*LARGE).nothing_done
    assert either.times() == times


def test_an_archive_from_the_future_does_not_hide_another_setting(own: Project, freshly_made: FreshlyMade) -> None:
    os.utime(path_of(own, "train"), (FUTURE, FUTURE))
    own.configure(BASE)
    own.succeed(*LARGE)
    assert own.products() == freshly_made(own)
    assert own.run(*LARGE).nothing_done


@pytest.mark.parametrize("archive", ["val", "devkit", "multilabel"])
def test_a_touched_archive_is_at_most_verified_and_does_not_hide_another_setting(
    own: Project, freshly_made: FreshlyMade, archive: str
) -> None:
    times = images_of(own)
    os.utime(path_of(own, archive))
    own.configure(BASE)
    own.succeed(*LARGE)
    assert images_of(own) == times
    assert own.products() == freshly_made(own)
    assert own.run(*LARGE).nothing_done


def test_touched_archives_and_another_setting_are_noticed_without_snakemakes_records(
    own: Project, freshly_made: FreshlyMade
) -> None:
    for path in own.archives.iterdir():
        os.utime(path)
    clones.forget(own)
    own.configure(BASE)
    own.succeed(*LARGE)
    assert own.products() == freshly_made(own)
    assert own.run(*LARGE).nothing_done


def test_what_was_deleted_comes_back_in_a_run_that_also_verifies_touched_archives(own: Project) -> None:
    products = own.products()
    for archive in ("train", "val"):
        os.utime(path_of(own, archive))
    clones.delete(own, "tfrecord/train-00001-*", "tfrecord_index/validation-00000-*", "labels/hierarchy.json")
    own.succeed(*LARGE)
    assert own.products() == products
    assert own.run(*LARGE).nothing_done


@pytest.mark.parametrize("target", ["imagefolder_validation", "tfrecord_validation"])
def test_a_single_target_is_made_anew_of_an_archive_with_other_content(
    own: Project, freshly_made: FreshlyMade, target: str
) -> None:
    before = own.products()
    names = exchange_two_images(path_of(own, "val"))
    clones.forget(own)
    own.succeed(target)
    members = files(path_of(own, "val").read_bytes())
    made = {"imagefolder_validation": "imagefolder/val/", "tfrecord_validation": "tfrecord/validation-"}[target]
    expected = freshly_made(own)
    assert {path: digest for path, digest in own.products().items() if path.startswith(made)} == {
        path: digest for path, digest in expected.items() if path.startswith(made)
    }
    assert {path: expected[path] for path in before if path.startswith(made)} != {
        path: digest for path, digest in before.items() if path.startswith(made)
    }
    own.succeed()
    assert [content_of(own, name) for name in names] == [members[name] for name in names]
    assert own.products() == expected
    assert own.run().nothing_done


def test_a_changed_archive_put_back_gives_the_first_products(own: Project) -> None:
    products, archive = own.products(), path_of(own, "val")
    content = archive.read_bytes()
    exchange_two_images(archive)
    own.succeed("imagefolder_validation")
    archive.write_bytes(content)
    own.succeed()
    assert own.products() == products
    assert own.run().nothing_done


def test_archives_that_are_away_are_named_and_once_they_are_back_the_run_goes_on(
    own: Project, freshly_made: FreshlyMade
) -> None:
    before = own.products()
    away = own.archives.rename(own.folder / "away")
    clones.forget(own)
    assert own.run().nothing_done
    own.configure(BASE)
    run = own.run()
    expect_clear_end(own, run, "ILSVRC2012_img_", "the archive is not there")
    assert [error for error in last_errors(run) if "the archive is not there" not in error] == []
    assert "delete the link" not in run.terminal.lower()
    now = own.products()
    assert {path for path in before if not path.startswith("archives/")} - set(now) == set()
    away.rename(own.archives)
    own.succeed()
    assert own.products() == freshly_made(own)


def test_an_archive_that_is_away_ends_a_run_in_one_line(own: Project) -> None:
    path_of(own, "train").rename(own.folder / "away.tar")
    own.configure(BASE)
    run = own.run()
    (error,) = last_errors(run)
    assert run.code != 0
    assert "the archive is not there" in error
    assert path_of(own, "train").name in error
    assert "link" not in error
