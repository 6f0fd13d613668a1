"""A few of the power cuts of the soak."""

from __future__ import annotations

import subprocess
import sys

import pytest

from faults import power
from project import Project


def test_what_is_made_after_power_cuts_is_what_an_undisturbed_run_makes(own_finished: Project) -> None:
    reason = power.impossible()
    if reason:
        pytest.skip(f"not possible here: {reason}")
    command = [sys.executable, power.__file__, "--cuts", "2", "--seed", "5", "--against", str(own_finished.folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("2 power cuts; finished and compared ")
