"""What a run makes of a bad configuration, and of folders that it may not write to or that are full."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from damage import digests, expect_clear_end, path_of
from project import Project, environment

# The modes of files mean nothing to root, unless it gives up the right to pass over them.
BOUND = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
    if os.geteuid() == 0
    else ()
)
# A small file system where the check of space does not look for one, in a namespace that ends with the run; what lay
# there is kept to look at.
SMALL_DISK = (
    *("unshare", "--map-root-user", "--mount", "sh", "-c"),
    'mount -t tmpfs -o size=4k tmpfs results/state && { "$@"; code=$?; cp -a results/state kept; exit $code; }',
    "sh",
)

Lock = Callable[[Path, int], None]


def can_run(*command: str) -> bool:
    """Whether this machine lets a test do that."""
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


# Bad values of different keys, and words of what is said of each; tests/configuration has many more.
BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"tfrecords": {"train_shards": 4}}, ["tfrecords: this key is unknown", "Write tfrecord if"]),
    ({"tfrecord": {"train_shard": 4}}, ["tfrecord.train_shard: this key is unknown", "Write train_shards"]),
    ({"tfrecord": {"train_shards": "many"}}, ["tfrecord.train_shards", '"many"', "a whole number from 1 to"]),
    ({"shards": {"seed": -1}}, ["shards.seed", "-1", "Write a whole number"]),
    ({"subset_labels": "renumber"}, ["subset_labels", '"renumber"', "did you mean renumbered?"]),
    ({"archives": {"val": {"md5": "abc"}}}, ["archives.val.md5", "32 lower-case hexadecimal digits"]),
    ({"use": ["devkit", "vall"]}, ["use", "did you mean val?"]),
    ({"classes": "classes.txt"}, ["classes", '"fox" in line 2 of', "classes.txt", "eight digits"]),
    ({"output_dir": "test.yaml"}, ["output_dir", "is a file", "Write the name of a folder"]),
]


def test_every_problem_of_a_configuration_is_told_in_a_line_by_key_value_and_mend(labelled: Project) -> None:
    (labelled.folder / "classes.txt").write_text("n01440764\nfox\n")
    before = labelled.products()
    for changes, _ in BAD:
        labelled.configure(changes)
    run = labelled.run()
    lines = [expect_clear_end(labelled, run, f"configuration key {words[0]}", *words[1:]) for _, words in BAD]
    assert len(set(lines)) == len(BAD), lines
    assert labelled.products() == before


def test_classes_that_the_devkit_does_not_know_are_named(labelled: Project) -> None:
    (labelled.folder / "classes.txt").write_text("n02012849\nn09999999\n")
    labelled.configure({"classes": "classes.txt"})
    run = labelled.run("labels")
    expect_clear_end(labelled, run, "configuration key classes", "the devkit knows no n09999999", "classes.csv")
    assert not list(labelled.results.glob("labels/*"))


@pytest.mark.parametrize(
    ("target", "missing"),
    [
        ("imagefolder", "train or val or test or train_t3"),
        ("tfrecord_train", "train"),
        ("bboxes", "bbox_train or bbox_val"),
        ("tfrecord_multilabel", "val"),
    ],
)
def test_a_target_whose_archive_is_not_in_use_is_refused(labelled: Project, target: str, missing: str) -> None:
    before = labelled.products()
    labelled.configure({"use": ["devkit", "multilabel"], "products": ["labels"]})
    words = ("configuration key use", f"{missing} is not in the list", "Add")
    expect_clear_end(labelled, labelled.run(target), *words)
    assert labelled.products() == before


@pytest.mark.parametrize("target", ["dinov2", "dinov2_train"])
def test_a_target_that_the_configuration_has_no_room_for_is_refused(labelled: Project, target: str) -> None:
    labelled.configure({"classes": ["n02012849"], "products": ["labels"]})
    before = labelled.products()
    words = ("configuration key classes", "DINOv2 counts the images", "Write null")
    expect_clear_end(labelled, labelled.run(target), *words)
    assert labelled.products() == before


@pytest.fixture
def lock() -> Iterator[Callable[[Path, int], None]]:
    """Sets the mode of a file or folder until the end of the test, for runs that are bound to modes."""
    if BOUND and not can_run(*BOUND, "true"):
        pytest.skip("giving up the rights of root is not possible here")
    locked: list[Path] = []

    def change(path: Path, mode: int) -> None:
        locked.append(path)
        path.chmod(mode)

    yield change
    for path in locked:
        path.chmod(0o755)


@pytest.mark.parametrize("folder", ["labels", "state/devkit", "logs", "benchmarks"])
def test_a_folder_of_outputs_that_is_not_writable_is_named(labelled: Project, lock: Lock, folder: str) -> None:
    (synsets,) = (labelled.results / "state" / "devkit").glob("*.synsets.parquet")
    gone = [labelled.results / "labels" / "classes.csv", synsets]
    for path in gone:
        path.unlink()
    lock(labelled.results / folder, 0o555)
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, f"results/{folder}", "Give yourself the right")
    assert not any(path.exists() for path in gone)


def test_a_read_only_output_dir_is_named(labelled: Project, lock: Lock) -> None:
    shutil.rmtree(labelled.results)
    labelled.results.mkdir()
    lock(labelled.results, 0o555)
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, str(labelled.results), "not writable", "choose another output_dir")
    assert list(labelled.results.iterdir()) == []


def test_an_output_dir_that_cannot_be_made_is_named(labelled: Project, lock: Lock) -> None:
    parent = labelled.folder / "elsewhere"
    parent.mkdir()
    lock(parent, 0o555)
    labelled.configure({"output_dir": "elsewhere/results"})
    expect_clear_end(labelled, labelled.run("labels", prefix=BOUND), str(parent), "choose another output_dir")
    assert list(parent.iterdir()) == []


def test_a_working_directory_that_is_not_writable_is_named_and_another_one_will_do(
    labelled: Project, lock: Lock, tmp_path: Path
) -> None:
    shutil.rmtree(labelled.folder / ".snakemake")
    lock(labelled.folder, 0o555)
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, str(labelled.folder), "not writable", "--directory")
    other = run.last_line.partition("run with ")[2].removesuffix(".").replace("<another one>", str(tmp_path / "other"))
    command = [*BOUND, sys.executable, "-m", "snakemake", "--cores", "1", "labels", *shlex.split(other)]
    said = subprocess.run(command, cwd=labelled.folder, env=environment(), capture_output=True, text=True, check=True)
    assert "Nothing to be done" in said.stderr


def test_finished_results_that_are_write_protected_are_named_before_they_would_be_made_anew(
    labelled: Project, lock: Lock
) -> None:
    labels = labelled.results / "labels"
    (labels / "synsets.parquet").unlink()
    for path in labels.iterdir():
        lock(path, 0o444)
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, "results/labels", "write-protected", f"chmod -R u+w {labelled.results.name}")


def test_an_archives_dir_that_may_not_be_read_is_named_once_and_what_was_made_is_looked_at_all_the_same(
    labelled: Project, lock: Lock
) -> None:
    labelled.configure({"synthetic": None})
    lock(labelled.archives, 0)
    assert labelled.run("labels", prefix=BOUND).nothing_done
    labelled.configure({"output_dir": "elsewhere"})
    run = labelled.run("labels", prefix=BOUND)
    expect_clear_end(labelled, run, "configuration key archives_dir", str(labelled.archives), "closed to you")
    assert run.terminal.count("ERROR") == 1


def test_finished_results_may_be_read_only(labelled: Project, lock: Lock) -> None:
    for folder in (labelled.results, *(path for path in labelled.results.rglob("*") if path.is_dir())):
        lock(folder, 0o555)
    assert labelled.run("labels", prefix=BOUND).nothing_done


def test_an_archive_that_may_not_be_read_is_named(labelled: Project, lock: Lock) -> None:
    labelled.configure({"use": ["devkit", "val"], "products": ["labels"]})
    lock(path_of(labelled, "val"), 0)
    run = labelled.run("verify", prefix=BOUND)
    expect_clear_end(labelled, run, str(path_of(labelled, "val")), "Permission denied", "Give yourself the right")
    assert not (labelled.results / "verified" / "val.json").exists()


def test_what_a_read_only_archives_dir_cannot_take_is_put_aside(labelled: Project, lock: Lock, tmp_path: Path) -> None:
    elsewhere, name = tmp_path / "elsewhere.tgz", path_of(labelled, "bbox_val").name
    path_of(labelled, "bbox_val").rename(elsewhere)
    shutil.rmtree(labelled.results)
    before = digests(labelled)
    lock(labelled.archives, 0o555)
    labelled.configure({"archives": {"bbox_val": {"url": elsewhere.as_uri()}}, "download": {"local": "copy"}})
    labelled.configure({"use": ["devkit", "val", "bbox_val"], "products": ["imagefolder", "bboxes", "audit"]})
    run = labelled.run(prefix=BOUND)
    assert run.code == 0, run.terminal
    assert {"audit_products", "all"} <= run.rules
    link = labelled.results / "archives" / name
    assert link.resolve() == labelled.results / "downloads" / name
    assert link.read_bytes() == elsewhere.read_bytes()
    assert digests(labelled) == before, "nothing is written there"


def test_a_full_disk_is_named_with_what_to_do(labelled: Project) -> None:
    if not can_run(*SMALL_DISK[:-2], "mount -t tmpfs tmpfs /mnt"):
        pytest.skip("a file system of a test's own is not possible here")
    shutil.rmtree(labelled.results)
    state = labelled.results / "state"
    state.mkdir(parents=True)
    labelled.configure({"use": ["devkit", "val"], "products": ["labels"]})
    run = labelled.run("imagefolder_validation", prefix=SMALL_DISK)
    assert list(state.iterdir()) == [], "the run was on a file system of its own"
    expect_clear_end(labelled, run, "results/state", "No space left on device", "Make room on that file system")
    assert not list((labelled.folder / "kept").rglob("*partial"))
    assert not list(labelled.results.glob("imagefolder/*"))


def test_a_job_that_is_killed_leaves_a_line_all_the_same(labelled: Project) -> None:
    (labelled.results / "labels" / "classes.csv").unlink()
    script = labelled.folder / "workflow" / "scripts" / "write_labels.py"
    script.write_text("import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n")
    run = labelled.run("labels")
    expect_clear_end(labelled, run, "results/logs", "write_labels was stopped, or killed", "Run the same command again")
