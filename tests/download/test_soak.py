"""The soak in a short form."""

from __future__ import annotations

from pathlib import Path

from download.soak import MIB, soak


def test_a_client_killed_again_and_again_at_a_failing_server_gets_one_identical_file(tmp_path: Path) -> None:
    figures = soak(tmp_path, 96 * MIB, kills=6, rate=30e6)
    assert figures.is_identical, figures
    assert figures.kills == 6, figures
    assert figures.ratio <= 1.1, figures
