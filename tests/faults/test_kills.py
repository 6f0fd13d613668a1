"""A few of the kills of the soak, at other moments every time."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from pathlib import Path

import pytest

import clones
from faults import kills
from project import SMALL, Project


def test_what_is_made_after_kills_is_what_an_undisturbed_run_makes(own_finished: Project, tmp_path: Path) -> None:
    seed = secrets.randbelow(1_000_000)
    figures = kills.attack(tmp_path, own_finished, len(kills.WAYS), seed)
    assert figures.faults == [], f"python tests/faults/kills.py --kills {len(kills.WAYS)} --seed {seed}"
    assert set(figures.kills) == set(kills.WAYS)
    assert figures.finished > 0


def test_a_run_ends_that_is_asked_to_while_it_decides_what_is_stale(own: Project) -> None:
    clones.delete(own, "state/archives/val*", "audit.json")
    before = own.logs()
    run = own.start()
    try:  # it decides before its first job, and again when the archive has been read
        run.wait_for(lambda: any(log.read_text().count("Updating checkpoint") > 1 for log in own.logs() - before))
        run.process.terminate()
        ended = run.end(kills.HANGS)
    finally:
        run.kill()
    assert ended.code == 1
    assert "Traceback" not in ended.terminal
    assert own.run("labels").code == 0, "the folder is not locked"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_before_its_first_job_gives_its_lock_back(number: int, tmp_path: Path) -> None:
    project, locks = Project(tmp_path, SMALL), tmp_path / ".snakemake" / "locks"
    for _ in range(5):  # a busy machine may let it come to its first job
        run = project.start()
        try:
            run.wait_for(lambda: any(locks.glob("*")))
            run.process.send_signal(number)
            ended = run.end(kills.HANGS)
        finally:
            run.kill()
        assert "Traceback" not in ended.terminal
        assert not any(locks.glob("*"))
        if kills.BEGUN not in ended.terminal:
            break
    assert ended.code == 128 + number


@pytest.mark.parametrize("call", ["run.begin(", "signals.answer_sigterm_aside("])
def test_ctrl_c_while_a_run_looks_whether_it_can_begin_is_no_traceback(call: str, tmp_path: Path) -> None:
    project, here = Project(tmp_path, SMALL), tmp_path / "here"
    rules = tmp_path / "workflow" / "rules" / "run.smk"
    assert f"    {call}" in rules.read_text()
    pause = f"    Path('{here}').touch()\n    import time\n    time.sleep(60)\n    {call}"
    rules.write_text(rules.read_text().replace(f"    {call}", pause))
    run = project.start()
    try:
        run.wait_for(here.exists)
        run.process.send_signal(signal.SIGINT)
        ended = run.end(kills.HANGS)
    finally:
        run.kill()
    assert "Traceback" not in ended.terminal
    assert 'File "' not in ended.terminal
    assert ended.terminal.count("You have stopped it. Run the same command again to go on.") == 1
    assert ended.code == 128 + signal.SIGINT
    assert not any((tmp_path / ".snakemake" / "locks").glob("*"))


def test_a_second_ctrl_c_while_jobs_are_ended_is_no_traceback(project: Project) -> None:
    shutil.rmtree(project.results / "imagefolder" / "train")
    run = project.start("imagefolder_train")
    try:
        run.wait_for(lambda: kills.jobs_of(run.process.pid))
        for _ in range(5):
            run.signal(signal.SIGINT)
            time.sleep(0.05)
        ended = run.end(kills.HANGS)
    finally:
        run.kill()
    assert "Traceback" not in ended.terminal
    assert ended.terminal.count("You have stopped it") == 1
    assert not any((project.folder / ".snakemake" / "locks").glob("*"))


def test_ctrl_c_when_all_is_done_changes_nothing(project: Project) -> None:
    (project.results / "report" / "index.html").unlink()
    run = project.start()
    try:
        run.wait_for(lambda: "Done: " in run.terminal.read_text())
        run.process.send_signal(signal.SIGINT)
        ended = run.end(kills.HANGS)
    finally:
        run.kill()
    assert ended.code == 0
    assert "Traceback" not in ended.terminal
