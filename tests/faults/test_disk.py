"""Some of the bad disks of the soak, for one stage that reads and writes; `make soak` tries all on every stage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults.disk import OWN_FILE_SYSTEM
from faults.stages import STAGES
from project import Project


def test_the_stages_are_those_of_the_workflow(finished: Project) -> None:
    made = {path.name for path in (finished.results / "state").iterdir() if path.is_dir()}
    for name, stage in STAGES.items():
        if Path(stage.receipt).parts[1] in made:
            assert len(list(finished.results.glob(stage.receipt))) == 1, f"{name}: one job of it is attacked"
            assert not stage.made or any(list(finished.results.glob(it)) for it in stage.made), name


def test_a_bad_disk_is_told_and_leaves_nothing_false() -> None:
    mount = [*OWN_FILE_SYSTEM, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if not shutil.which(mount[0]) or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of a test's own is not possible here")
    program = Path(__file__).with_name("disk.py")
    command = [sys.executable, program, "--points", "2", "--stage", "write_tfrecord"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[0] == "write_tfrecord"
