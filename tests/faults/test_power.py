"""A few of the power cuts of the soak."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import power


def test_what_is_made_after_power_cuts_is_what_an_undisturbed_run_makes(tmp_path: Path) -> None:
    reason = power.impossible()
    if reason:
        pytest.skip(f"not possible here: {reason}")
    figures = power.attack(tmp_path, power.CONFIG, cuts=3, seed=5)
    assert figures.faults == []
    assert figures.cuts == 3
    assert figures.finished > 0
