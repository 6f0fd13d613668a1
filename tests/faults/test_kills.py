"""A few of the kills of the soak, at other moments every time."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from faults import kills
from project import SMALL, Project, environment


def test_what_is_made_after_kills_is_what_an_undisturbed_run_makes(tmp_path: Path) -> None:
    seed = secrets.randbelow(1_000_000)
    figures = kills.attack(tmp_path, SMALL, len(kills.WAYS), seed)
    assert figures.faults == [], f"python tests/faults/kills.py --kills {len(kills.WAYS)} --seed {seed}"
    assert set(figures.kills) == set(kills.WAYS)
    assert figures.finished > 0


def test_a_run_ends_that_is_asked_to_while_it_decides_what_is_stale(tmp_path: Path) -> None:
    project, terminal = Project(tmp_path, SMALL), tmp_path / "terminal.txt"
    with terminal.open("w") as file:
        run = subprocess.Popen(
            project.command(), cwd=tmp_path, env=environment(), stdout=file, stderr=subprocess.STDOUT
        )
    try:
        while not any("Updating checkpoint" in log.read_text() for log in tmp_path.glob(".snakemake/log/*")):
            assert run.poll() is None, terminal.read_text()
        run.terminate()
        assert run.wait(kills.HANGS) == 1
    finally:
        run.kill()
        run.wait()
    assert "Traceback" not in terminal.read_text()
    assert project.run("labels").code == 0, "the folder is not locked"
