"""What killed jobs were writing goes with the next run, and nothing that only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

import builders
from engine.outputs import written
from imagenet_prep import atomic
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.partials import remove_partials

HALF = ".train-00000-of-00002.node-17.partial"


@pytest.mark.parametrize("path", ["audit.json", "tfrecord/train-00000-of-00002", "state/images/train.parquet"])
def test_a_half_written_file_goes_wherever_it_lies(tmp_path: Path, path: str) -> None:
    whole = written(tmp_path / path)
    written(atomic.partial_path(whole))
    remove_partials(tmp_path)
    assert builders.files_below(tmp_path) == {path}


def test_half_filled_folders_go(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "train")
    written(tree.root / "n01440764" / "image.JPEG")
    written(tree.partial("n01443537") / "image.JPEG")
    remove_partials(tmp_path)
    assert builders.files_below(tmp_path) == {"imagefolder/train/n01440764/image.JPEG"}


@pytest.mark.parametrize("name", [".notes.partial", "notes.node-17.partial", ".notes.node-17", "val.tar.part"])
def test_files_of_other_names_stay(tmp_path: Path, name: str) -> None:
    written(tmp_path / "tables" / name)
    remove_partials(tmp_path)
    assert builders.files_below(tmp_path) == {f"tables/{name}"}


def test_archives_in_a_folder_that_somebody_linked_are_not_searched(tmp_path: Path) -> None:
    others = written(tmp_path / "shared" / HALF)
    out = tmp_path / "results"
    out.mkdir()
    (out / "archives").symlink_to(others.parent)
    remove_partials(out)
    assert others.exists()


def test_products_on_another_disk_are_searched(tmp_path: Path) -> None:
    half = written(tmp_path / "disk" / HALF)
    out = tmp_path / "results"
    out.mkdir()
    (out / "tfrecord").symlink_to(half.parent)
    remove_partials(out)
    assert not half.exists()


def test_before_the_first_run_there_is_nothing_to_do(tmp_path: Path) -> None:
    remove_partials(tmp_path / "results")
    assert not (tmp_path / "results").exists()
