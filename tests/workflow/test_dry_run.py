"""A dry run: what Snakemake says it would do."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import Project, Run, environment


def test_a_dry_run_without_any_archive_is_quick_and_says_in_words_what_it_would_do(tmp_path: Path) -> None:
    project = Project(tmp_path, {})
    (tmp_path / "test.yaml").unlink()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "-n"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert after.ru_utime - before.ru_utime < 10, "seconds of processor time, of which a busy machine takes no more"
    counts = {name: int(count) for name, count in re.findall(r"^([a-z_]+) +(\d+)$", done.stdout, re.MULTILINE)}
    jobs = counts.pop("total")
    assert jobs == sum(counts.values()) <= 400
    assert counts["fetch_archive"] == 7
    stages = {
        "scan_archive",
        "write_labels",
        "write_imagefolder",
        "write_tfrecord",
        "write_tfrecord_index",
        "audit_products",
    }
    assert stages <= counts.keys()
    said = re.findall(r"^Job \d+: (.*)$", done.stdout, re.MULTILINE)
    assert len(said) == jobs, "every job says in words what it does"
    for words in (
        "Find or download archive train",
        "Verify archive train and find its images",
        "Write imagefolder: class folders 00000-00020-of-01000 of train",
        "Write tfrecord: shards 00000-00007-of-00128 of validation",
        "Audit everything",
    ):
        assert words in said
    assert not project.results.exists()
    assert not project.archives.exists()


def test_a_number_among_the_keys_of_another_arrives_from_the_command_line(tmp_path: Path) -> None:
    project = Project(tmp_path, {})
    project.write_config({})
    run = project.succeed("-n", "--config", "tfrecord={train_shards: 256}")
    assert "Write tfrecord: shards 00252-00255-of-00256 of train" in run.terminal


@pytest.fixture
def remembered(finished: Project, tmp_path: Path) -> Project:
    """The finished project, of which the configuration is to be changed."""
    return finished.copy(tmp_path / "remembered")


def changed(run: Run) -> list[str]:
    """The settings that a dry run calls changed."""
    assert run.code == 0, run.terminal
    _, _, tail = run.terminal.partition("\nSettings that have changed since this was made:\n")
    return [line.strip() for line in tail.splitlines() if line.strip()]


def test_a_dry_run_says_which_settings_have_changed_from_what_to_what(remembered: Project) -> None:
    assert changed(remembered.run("-n")) == []
    remembered.configure({"tfrecord": {"train_shards": 3}})
    of_shards = "tfrecord.train_shards: 4 -> 3 (made again: tfrecord, tfrecord_index, audit, report)"
    for how in (["-n"], ["-n", "--quiet"]):
        assert changed(remembered.run(*how)) == [of_shards]
    assert changed(remembered.run("-n", "tfrecord_train")) == ["tfrecord.train_shards: 4 -> 3 (made again: tfrecord)"]
    assert changed(remembered.run("-n", "imagefolder")) == []
    remembered.configure({"tfrecord": {"train_shards": 4, "label_base": 0}, "shards": {"seed": 5}})
    remembered.configure({"imagefolder": {"val_dirs": "index"}, "archives": {"test": {"bytes": 7}}})
    told = {line.split(" (")[0] for line in changed(remembered.run("-n"))}
    assert told == {
        "tfrecord.label_base: 1 -> 0",
        "shards.seed: 12345 -> 5",
        'imagefolder.val_dirs: "wnid" -> "index"',
        "archives.test.bytes: null -> 7",
    }


def test_a_dry_run_says_which_classes_and_archives_are_other_ones(remembered: Project) -> None:
    listed = json.loads((remembered.results / "labels" / "hierarchy.json").read_text())
    wnid = re.findall(r"n\d{8}", json.dumps(listed))[-1]
    use = ["train", "val", "devkit", "bbox_train", "bbox_val", "multilabel", "test", "real_labels"]
    remembered.configure({"classes": [wnid], "use": use})
    told = {line.split(" (")[0] for line in changed(remembered.run("-n"))}
    assert told == {f'classes: null -> ["{wnid}"]', "use: now without train_t3"}


def test_what_is_gone_is_made_again_and_no_setting_is_blamed(remembered: Project) -> None:
    shutil.rmtree(remembered.results / "tfrecord")
    run = remembered.run("-n")
    assert "write_tfrecord" in run.terminal
    assert changed(run) == []
