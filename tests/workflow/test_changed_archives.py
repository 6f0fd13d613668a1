"""Archives that are touched, changed, or away for a while, alone and beside another change."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import clones
from builders import tar
from damage import expect_clear_end, files, last_errors, path_of
from project import OTHER, Project

REVERIFY = {"link_archives", "fetch_archive", "scan_archive", "verify_archive", "all"}
# Snakemake compares small files by content; the archives of image sets are far larger than what it takes for small.
LARGE = ("--max-checksum-file-size", "100000")
FUTURE = datetime(2030, 1, 1).timestamp()


def below(project: Project, product: str) -> dict[str, int]:
    """The modification times of a product's files."""
    return {path: time for path, time in project.times().items() if path.startswith(product)}


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


def touch(project: Project) -> None:
    """Give the archive of training images a time that is still to come, and the others the present one."""
    assert path_of(project, "train").stat().st_size > int(LARGE[1])
    for path in project.archives.iterdir():
        os.utime(path)
    os.utime(path_of(project, "train"), (FUTURE, FUTURE))


def test_touched_archives_and_one_from_the_future_are_verified_once(own: Project) -> None:
    times = own.times()
    touch(own)
    clones.forget(own)
    assert own.succeed(*LARGE).rules <= REVERIFY
    assert own.run(*LARGE).nothing_done
    assert own.times() == times


def test_touched_and_moved_archives_do_not_hide_other_settings(own: Project, own_other: dict[str, str]) -> None:
    times = below(own, "imagefolder/train/")
    touch(own)
    own.archives.rename(own.folder / "moved")
    own.configure(OTHER | {"archives_dir": "moved"})
    own.succeed(*LARGE)
    assert below(own, "imagefolder/train/") == times
    assert own.products() == own_other
    assert own.run(*LARGE).nothing_done


def test_what_was_deleted_comes_back_in_a_run_that_also_verifies_touched_archives(own: Project) -> None:
    products = own.products()
    for archive in ("train", "val"):
        os.utime(path_of(own, archive))
    clones.delete(own, "tfrecord/train-00001-*", "tfrecord/validation-00000-*", "labels/hierarchy.json")
    own.succeed(*LARGE)
    assert own.products() == products
    assert own.run(*LARGE).nothing_done


def test_an_archive_with_other_content_makes_its_products_anew_and_put_back_gives_the_first_ones(own: Project) -> None:
    products, times, archive = own.products(), below(own, "imagefolder/train/"), path_of(own, "val")
    content = archive.read_bytes()
    names = exchange_two_images(archive)
    members = files(archive.read_bytes())
    clones.forget(own)
    own.succeed("imagefolder_validation", "tfrecord_validation")
    assert [content_of(own, name) for name in names] == [members[name] for name in names]
    changed = {path for path, digest in own.products().items() if products.get(path) != digest}
    assert changed & {path for path in products if path.startswith("tfrecord/validation-")}
    assert not [path for path in changed if path.startswith(("imagefolder/train/", "tfrecord/train-"))]
    archive.write_bytes(content)
    own.succeed()
    assert own.products() == products
    assert below(own, "imagefolder/train/") == times
    assert own.run().nothing_done


def test_archives_that_are_away_are_named_and_back_used(own: Project, own_other: dict[str, str]) -> None:
    before = own.products()
    away = own.archives.rename(own.folder / "away")
    clones.forget(own)
    assert own.run().nothing_done
    own.configure(OTHER)
    run = own.run()
    expect_clear_end(own, run, "ILSVRC2012_img_", "the archive is not there")
    errors = last_errors(run)
    assert [error for error in errors if "the archive is not there" not in error or "link" in error] == []
    assert len(errors) == len(set(errors))
    assert "delete the link" not in run.terminal.lower()
    now = own.products()
    assert {path for path in before if not path.startswith("archives/")} - set(now) == set()
    away.rename(own.archives)
    own.succeed("tfrecord_validation")
    expected = {path: it for path, it in own_other.items() if path.startswith("tfrecord/validation-")}
    assert expected.items() <= own.products().items()


def test_an_archive_that_is_away_ends_a_run_in_one_line(own: Project) -> None:
    path_of(own, "train").rename(own.folder / "away.tar")
    own.configure(OTHER)
    run = own.run()
    (error,) = last_errors(run)
    assert run.code != 0
    assert "the archive is not there" in error
    assert path_of(own, "train").name in error
    assert "link" not in error
