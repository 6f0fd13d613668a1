"""A dry run: what Snakemake says it would do."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

from project import Project, environment


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
