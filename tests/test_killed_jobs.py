"""Jobs that ended without a word are told with what the scheduler said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagenet_prep import job, killed_jobs
from imagenet_prep.errors import PrepError
from imagenet_prep.killed_jobs import FailedJob


@pytest.fixture(autouse=True)
def own_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def failed(*logs: str, on_cluster: bool = True) -> FailedJob:
    """A job as Snakemake 9 tells of it; with its plugin for Slurm, the log of Slurm's is the second."""
    said = "SLURM-job '22' failed, SLURM status is: 'FAILED'." if on_cluster else None
    aux = {"external_jobid": "22"} if on_cluster else {}
    event = {"rule_name": "write_imagefolder", "rule_msg": said, "log": list(logs), "aux": aux, "shellcmd": None}
    return FailedJob.of(event, Path())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Building DAG of jobs...\n"
            "slurmstepd-n1: error: *** JOB 26 ON n1 CANCELLED AT 2026-11-21T13:59:35 DUE TO TIME LIMIT ***\n"
            "Storing output in storage.\n",
            "JOB 26 ON n1 CANCELLED AT 2026-11-21T13:59:35 DUE TO TIME LIMIT",
        ),
        (
            "slurmstepd-n1: error: StepId=22.batch exceeded memory limit (65060864 > 62914560), being killed\n"
            "slurmstepd-n1: error: *** JOB 22 ON n1 CANCELLED AT 2026-11-21T13:44:57 ***\n",
            "StepId=22.batch exceeded memory limit",
        ),
        (
            "slurmstepd: error: Detected 1 oom_kill event in StepId=5.0. Some of the step tasks have been OOM Killed.\n"
            "srun: error: n1: task 0: Out Of Memory\n",
            "oom_kill event",
        ),
        ("ERROR a.tar: cut off. Get it again.\nStoring output in storage.\n", "a.tar: cut off"),
        ("the last thing that it did\n\n", "the last thing that it did"),
    ],
)
def test_the_line_names_the_log_and_what_the_scheduler_says_there(said: str, words: str) -> None:
    Path("22.log").write_text(said)
    line = str(failed("a.log", "22.log"))
    assert line.startswith("22.log: a job of write_imagefolder was stopped")
    assert words in line
    assert "--set-resources write_imagefolder:runtime" in line
    assert line.isprintable()


def test_what_pbs_says_lies_beside_the_log_of_the_job() -> None:
    Path("a.log.pbs").write_text("=>> PBS: job killed: walltime 1206 exceeded limit 1200\n")
    line = str(failed("a.log"))
    assert line.startswith("a.log.pbs: ")
    assert "walltime 1206 exceeded limit 1200" in line


def test_without_a_scheduler_the_log_of_the_job_itself_is_named() -> None:
    Path("a.log").write_text("half of it\n")
    line = str(failed("a.log", on_cluster=False))
    assert line.startswith("a.log: ")
    assert "half of it" in line
    assert "--cores" in line
    assert "--set-resources" not in line


def test_a_log_that_is_not_there_is_named_all_the_same() -> None:
    line = str(failed("a.log"))
    assert line.startswith("a.log: a job of write_imagefolder was stopped")


def test_a_job_that_left_its_cause_is_not_told_again() -> None:
    class Script:
        log = ("a.log",)
        config = {"output_dir": "results"}  # noqa: RUF012
        resources = {}  # noqa: RUF012

    def fail(snakemake: Script) -> None:
        raise PrepError("a.tar", "it is cut off", "Get it again")

    with pytest.raises(SystemExit):
        job.run(fail, Script())
    assert killed_jobs.without_a_word([failed("a.log")]) == []
    assert failed("a.log").why == "a.tar: it is cut off. Get it again."
    assert len(killed_jobs.without_a_word([failed("a.log"), failed("b.log")])) == 1


def test_without_a_log_what_the_scheduler_answered_is_said() -> None:
    assert "(there: \"SLURM-job '22' failed, SLURM status is: 'FAILED'.\")" in str(failed("a.log"))
