"""What a run makes of a bad configuration, and of folders that it may not write to or that are full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from damage import digests, expect_clear_end, path_of
from project import Project

# The modes of files mean nothing to root, unless it gives up the right to pass over them.
BOUND = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
    if os.geteuid() == 0
    else ()
)
# A small file system in place of the results, in a namespace that ends with the run; what lies there is kept for a look.
SMALL_DISK = (
    *("unshare", "--map-root-user", "--mount", "sh", "-c"),
    'mount -t tmpfs -o size=64k tmpfs results && { "$@"; code=$?; cp -a results kept; exit $code; }',
    "sh",
)


def can_run(*command: str) -> bool:
    """Whether this machine lets a test do that."""
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tfrecords": {"train_shards": 4}}, ["tfrecords: this key is unknown", "Write tfrecord if"]),
        ({"tfrecord": {"train_shard": 4}}, ["tfrecord.train_shard: this key is unknown", "Write train_shards"]),
        ({"tfrecord": {"train_shards": "many"}}, ["tfrecord.train_shards", '"many"', "a whole number from 1 to"]),
        ({"tfrecord": {"cmyk_to_rgb": "perhaps"}}, ["tfrecord.cmyk_to_rgb", "Write true or false"]),
        ({"jobs": [1, 2]}, ["jobs", "[1, 2] is not allowed here", "Write the keys"]),
        ({"archives": {"val": {"md5": "abc"}}}, ["archives.val.md5", "32 lower-case hexadecimal digits"]),
        ({"use": ["val"]}, ["use", "devkit is not in the list", "Add devkit to use"]),
        ({"use": ["devkit", "vall"]}, ["use", "did you mean val?"]),
        ({"use": ["devkit", "val"], "products": ["bboxes"]}, ["products", "bboxes is made from", "Add bbox_train or"]),
        ({"classes": ["n01440764", "fox"]}, ["classes", '"fox"', "eight digits"]),
        ({"classes": "nowhere.txt"}, ["classes", "nowhere.txt cannot be read", "one WNID a line"]),
        ({"classes": "classes.txt"}, ["classes", '"fox" in line 2 of', "classes.txt", "eight digits"]),
        ({"output_dir": "archives/results"}, ["output_dir", "lies in archives_dir", "outside of it"]),
        ({"output_dir": "test.yaml"}, ["output_dir", "is a file", "Write the name of a folder"]),
    ],
    ids=str,
)
def test_a_bad_configuration_is_told_by_key_value_and_mend(
    labelled: Project, changes: dict[str, Any], words: list[str]
) -> None:
    (labelled.folder / "classes.txt").write_text("n01440764\nfox\n")
    before = labelled.products()
    labelled.configure(changes)
    expect_clear_end(labelled, labelled.run(), "configuration key", *words)
    assert labelled.products() == before


def test_every_problem_of_a_configuration_has_a_line_of_its_own(labelled: Project) -> None:
    labelled.configure({"tfrecord": {"seed": -1}, "subset_labels": "renumber"})
    run = labelled.run()
    expect_clear_end(labelled, run, "tfrecord.seed", "-1", "Write a whole number")
    expect_clear_end(labelled, run, "subset_labels", '"renumber"', "did you mean renumbered?")


@pytest.mark.parametrize("how", ["list", "file"])
def test_classes_that_the_devkit_does_not_know_are_named(labelled: Project, how: str) -> None:
    classes = ["n02012849", "n09999999"]
    (labelled.folder / "classes.txt").write_text("\n".join(classes))
    labelled.configure({"classes": classes if how == "list" else "classes.txt"})
    run = labelled.run("labels")
    expect_clear_end(labelled, run, "configuration key classes", "the devkit knows no n09999999", "classes.csv")
    assert list((labelled.results / "labels").iterdir()) == []


def test_more_shards_than_images_are_refused(labelled: Project) -> None:
    labelled.configure({"use": ["devkit", "val"], "products": ["tfrecords"], "tfrecord": {"validation_shards": 19}})
    run = labelled.run("tfrecords_validation")
    expect_clear_end(labelled, run, "tfrecord.validation_shards", "18 images", "19 shards")
    assert not (labelled.results / "tfrecord").exists()


@pytest.mark.parametrize(
    ("target", "missing"),
    [
        ("imagefolder", "train or val"),
        ("imagefolder_train", "train"),
        ("imagefolder_val", "val"),
        ("tfrecords", "train or val"),
        ("tfrecords_train", "train"),
        ("tfrecords_validation", "val"),
        ("indexes", "train or val"),
        ("bboxes", "bbox_train or bbox_val"),
        ("multilabel", "multilabel"),
    ],
)
def test_a_target_whose_archive_is_not_in_use_is_refused(labelled: Project, target: str, missing: str) -> None:
    before = labelled.products()
    labelled.configure({"use": ["devkit"], "products": ["labels"]})
    words = ("configuration key use", f"{missing} is not in the list", "Add")
    expect_clear_end(labelled, labelled.run(target), *words)
    assert labelled.products() == before


@pytest.fixture
def locked() -> Iterator[list[Path]]:
    """Folders and files that are locked for this test: put them in to have them unlocked at its end."""
    if BOUND and not can_run(*BOUND, "true"):
        pytest.skip("giving up the rights of root is not possible here")
    paths: list[Path] = []
    yield paths
    for path in paths:
        path.chmod(0o755)


def lock(path: Path, locked: list[Path], mode: int = 0o555) -> None:
    locked.append(path)
    path.chmod(mode)


@pytest.mark.parametrize("folder", [".", "archives", "verified", "labels", "logs", "logs/write_labels", "state"])
def test_a_read_only_folder_below_output_dir_is_named(labels_made: Project, folder: str) -> None:
    pass


def test_a_read_only_output_dir_is_named(labelled: Project, locked: list[Path]) -> None:
    shutil.rmtree(labelled.results)
    labelled.results.mkdir()
    lock(labelled.results, locked)
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, str(labelled.results), "not writable", "choose another output_dir")
    assert list(labelled.results.iterdir()) == []
