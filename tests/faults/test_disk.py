"""Some of the bad disks of the soak, for two stages; `make soak` tries all of them on every stage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults.disk import OWN_FILE_SYSTEM


def test_a_bad_disk_is_told_and_leaves_nothing_false() -> None:
    mount = [*OWN_FILE_SYSTEM, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if not shutil.which(mount[0]) or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of a test's own is not possible here")
    program = Path(__file__).with_name("disk.py")
    stages = ["--stage", "scan_archive", "--stage", "write_tfrecord"]
    done = subprocess.run(
        [sys.executable, program, "--points", "2", *stages], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[-2:]] == ["scan_archive", "write_tfrecord"]
