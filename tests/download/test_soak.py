"""The soak in a short form."""

from __future__ import annotations

from pathlib import Path

from download.soak import MIB, soak


def test_a_client_killed_again_and_again_at_a_failing_server_gets_one_identical_file(tmp_path: Path) -> None:
    # Slow: what a client on a busy machine has not yet read counts as wasted when it is killed.
    figures = soak(tmp_path, 128 * MIB, kills=6, rate=16e6)
    assert figures.is_identical, figures
    assert figures.kills == 6, figures
    assert figures.ratio <= 1.1, figures
