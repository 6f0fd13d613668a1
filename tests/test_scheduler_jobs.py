"""Jobs that a killed run left in the queue keep the next run from starting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagenet_prep import scheduler_jobs
from imagenet_prep.errors import PrepError


class Scheduler:
    """A folder of programs that stand in for a scheduler's; nothing else is on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def knows(self, program: str, script: str) -> None:
        path = self.folder / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    return Scheduler(tmp_path)


def test_jobs_of_slurm_that_have_not_ended_are_named_with_the_way_to_cancel_them(scheduler: Scheduler) -> None:
    scheduler.knows("squeue", f'case "$*" in *--user={os.getuid()}) echo 7; echo 12; echo 99;; esac')
    with pytest.raises(PrepError, match=r"still there: 12 7\. .*scancel 12 7"):
        scheduler_jobs.expect_none(["7", "12", "8"])


def test_a_user_without_a_name_as_in_a_container_is_asked_for_by_number(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 61004)  # a number that no account has
    scheduler.knows("squeue", 'case "$*" in *--user=61004) echo 7;; esac')
    with pytest.raises(PrepError, match="still there: 7"):
        scheduler_jobs.expect_none(["7"])


def test_jobs_that_slurm_does_not_list_have_ended(scheduler: Scheduler) -> None:
    scheduler.knows("squeue", "echo 99")
    scheduler_jobs.expect_none(["7"])


@pytest.mark.parametrize("state", list("QRHWSTEMUB"))
def test_jobs_of_pbs_that_have_not_ended_are_named(scheduler: Scheduler, state: str) -> None:
    scheduler.knows("qstat", f'echo "Job Id: $2"; echo "    job_state = {state}"')
    with pytest.raises(PrepError, match=r"still there: 8\.host\. .*qdel 8\.host"):
        scheduler_jobs.expect_none(["8.host"])


@pytest.mark.parametrize("says", [*(f'echo "    job_state = {state}"' for state in "CFX"), "exit 153"])
def test_jobs_that_pbs_does_not_run_any_more_have_ended(scheduler: Scheduler, says: str) -> None:
    scheduler.knows("qstat", says)
    scheduler_jobs.expect_none(["8.host"])


def test_a_scheduler_that_does_not_answer_stops_nothing(scheduler: Scheduler) -> None:
    scheduler.knows("squeue", "exit 1")
    scheduler_jobs.expect_none(["7"])


def test_without_a_scheduler_there_is_no_queue(scheduler: Scheduler) -> None:
    assert os.listdir(scheduler.folder) == []
    scheduler_jobs.expect_none(["7"])


def test_nobody_is_asked_where_no_run_was_killed(scheduler: Scheduler) -> None:
    scheduler.knows("squeue", f"touch {scheduler.folder}/asked")
    scheduler_jobs.expect_none([])
    assert not (scheduler.folder / "asked").exists()
