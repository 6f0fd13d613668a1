"""What is stale follows from the configuration and the disk, whatever Snakemake remembers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import clones
from project import Project

FreshlyMade = Callable[[Project], dict[str, str]]

READING = {"synthesize_archives", "fetch_archive", "scan_archive", "verify_archive"}

# By setting, another value of it, and what of the products has nothing to do with it.
SETTINGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "label_base": ({"tfrecord": {"label_base": 0}}, ("imagefolder/", "labels/", "tables/")),
    "seed": ({"shards": {"seed": 99}}, ("imagefolder/", "labels/", "tables/")),
    "val_dirs": ({"imagefolder": {"val_dirs": "index"}}, ("imagefolder/t", "tfrecord", "labels/", "tables/")),
}
SEED = SETTINGS["seed"][0]


def below(project: Project, *products: str) -> dict[str, int]:
    """The modification times of these products."""
    return {path: time for path, time in project.times().items() if path.startswith(products)}


def classes(project: Project) -> list[str]:
    return [line.split()[0] for line in (project.results / "labels" / "wnid_to_index.txt").read_text().splitlines()]


@pytest.mark.parametrize("setting", SETTINGS)
def test_another_setting_is_noticed_without_snakemakes_records_and_what_follows_alone_is_made_again(
    project: Project, freshly_made: FreshlyMade, setting: str
) -> None:
    changes, others = SETTINGS[setting]
    times = below(project, *others)
    clones.forget(project)
    project.configure(changes)
    run = project.succeed()
    assert not run.rules & READING
    assert project.products() == freshly_made(project)
    assert below(project, *others) == times
    clones.forget(project)
    assert project.run().nothing_done


def test_another_setting_is_noticed_by_a_new_clone_and_by_the_old_one_with_its_older_records(
    project: Project, tmp_path: Path, freshly_made: FreshlyMade
) -> None:
    products = project.products()
    clone = clones.new_clone(project, tmp_path / "clone")
    clone.configure(SEED)
    clone.succeed()
    assert clone.products() == freshly_made(clone)
    for name in ("archives", "results"):  # back to the first clone, whose records are of the first seed
        (clone.folder / name).rename(project.folder / name)
    project.succeed()
    assert project.products() == products


@pytest.mark.parametrize(
    ("product", "remade", "others"),
    [
        ("tfrecord", "tfrecord/train-", ("imagefolder/", "labels/", "tables/")),
        ("imagefolder", "imagefolder/", ("tfrecord", "labels/", "tables/")),
        ("labels", "labels/", ("imagefolder/", "tfrecord/train-", "tfrecord/validation-", "tables/")),
    ],
)
def test_a_raised_format_version_redoes_that_product_in_a_new_clone(
    project: Project, tmp_path: Path, product: str, remade: str, others: tuple[str, ...]
) -> None:
    products, times = project.products(), project.times()
    clone = clones.new_clone(project, tmp_path / "clone")
    module = clone.folder / "workflow" / "imagenet_prep" / "products" / f"{product}.py"
    raised, found = re.subn(r"^    version = (\d+)$", r"    version = 1\1", module.read_text(), flags=re.MULTILINE)
    assert found == 1
    module.write_text(raised)
    run = clone.succeed()
    assert not run.rules & READING
    now = clone.times()
    assert [path for path in now if path.startswith(remade) and now[path] == times[path]] == []
    assert [path for path in now if path.startswith(others) and now[path] != times[path]] == []
    assert clone.products() == products
    assert clone.run().nothing_done


def test_a_moved_output_folder_needs_no_product_made_again(project: Project) -> None:
    products, times = project.products(), project.times()
    moved = project.folder / "further" / "down" / "moved"
    moved.parent.mkdir(parents=True)
    project.results.rename(moved)
    project.results = moved
    project.configure({"output_dir": "further/down/moved"})
    run = project.succeed()
    assert not run.rules & {"scan_archive", "verify_archive", "write_imagefolder", "write_tfrecord", "write_labels"}
    assert clones.without_page(project.products()) == clones.without_page(products)
    kept = {path: time for path, time in times.items() if not path.startswith("report/")}
    assert {path: time for path, time in project.times().items() if not path.startswith("report/")} == kept
    assert project.run().nothing_done


def test_another_setting_is_noticed_in_a_moved_output_folder(project: Project, freshly_made: FreshlyMade) -> None:
    moved = project.results.rename(project.folder / "moved")
    project.results = moved
    project.configure({"output_dir": "moved", "tfrecord": {"label_base": 0}})
    project.succeed()
    assert clones.without_page(project.products()) == clones.without_page(freshly_made(project))
    assert not (project.folder / "results").exists()


def test_fewer_classes_with_new_numbers_are_those_of_every_product_that_a_new_clone_makes(
    project: Project, tmp_path: Path, freshly_made: FreshlyMade
) -> None:
    chosen = classes(project)[1:5:2]
    clone = clones.new_clone(project, tmp_path / "clone")
    clone.configure({"classes": chosen, "subset_labels": "renumbered"})
    clone.succeed()
    assert classes(clone) == chosen
    assert clone.products() == freshly_made(clone)
    assert clone.run("check").code == 0
    assert clone.run().nothing_done


def test_archives_made_up_by_another_seed_are_made_without_snakemakes_records(
    project: Project, freshly_made: FreshlyMade
) -> None:
    clones.forget(project)
    project.configure({"synthetic": {"seed": 8}})
    project.succeed()
    assert project.products() == freshly_made(project)
    clones.forget(project)
    assert project.run().nothing_done


# Records and products that somebody deletes. What lies below state/ is named by what it is of.

DELETED = {
    "all receipts of archives": ("verified",),
    "the scan of an archive": ("state/**/val*.parquet",),
    "every table of the state": ("state/**/*.parquet",),
    "all that the state has of archives and the devkit": ("state/archives/*", "state/devkit/*"),
    "all that the state has of images, boxes and plans": ("state/images/*", "state/boxes/*", "state/plan/*"),
    "labels, tables and receipts of archives": ("labels", "tables/images.parquet", "verified/*", "state/**/*devkit*"),
}


@pytest.mark.parametrize("deleted", DELETED)
def test_whatever_was_deleted_another_seed_is_noticed(
    project: Project, freshly_made: FreshlyMade, deleted: str
) -> None:
    clones.delete(project, *DELETED[deleted])
    project.configure(SEED)
    project.succeed()
    assert project.products() == freshly_made(project)
    assert project.run().nothing_done


@pytest.mark.parametrize("deleted", DELETED)
def test_whatever_was_deleted_comes_back_and_no_image_is_written_again(project: Project, deleted: str) -> None:
    products = project.products()
    kept = below(project, "imagefolder/", "tfrecord/train-", "tfrecord/validation-")
    clones.forget(project)
    clones.delete(project, *DELETED[deleted])
    project.succeed()
    assert project.products() == products
    assert below(project, "imagefolder/", "tfrecord/train-", "tfrecord/validation-") == kept
    assert project.run().nothing_done


def test_a_deleted_scan_does_not_keep_a_deleted_label_file_from_coming_back(project: Project) -> None:
    products = project.products()
    clones.delete(project, "state/archives/test*.parquet")
    clones.delete(project, "labels/hierarchy.json")
    project.succeed()
    assert project.products() == products
