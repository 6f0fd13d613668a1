"""Jobs that ended without a word are told with what the scheduler said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagenet_prep import job, killed_jobs
from imagenet_prep.errors import PrepError

# As Snakemake 9 with its plugin for Slurm writes it.
FAILURE = """\
[Sat Nov 21 13:44:57 2026]
Error in rule {rule}:
    message: SLURM-job '22' failed, SLURM status is: 'FAILED'. Detailed failure reason unavailable.
    jobid: {jobid}
    input: results/verified/val.json, results/archives/ILSVRC2012_img_val.tar
    output: results/state/imagefolder/validation.json
    log: {logs} (check log file(s) for error details)
    external_jobid: 22
"""
LOCAL_FAILURE = """\
RuleException:
CalledProcessError in file "workflow/rules/imagefolder.smk", line 36:
Command 'python write_imagefolder.py' died with <Signals.SIGKILL: 9>.
[Sat Nov 21 13:44:32 2026]
Error in rule write_imagefolder:
    message: None
    jobid: 1
    output: results/state/imagefolder/validation.json
    log: a.log (check log file(s) for error details)
Shutting down, this might take some time.
"""
RESTART = "Trying to restart job {jobid}.\n"


@pytest.fixture(autouse=True)
def own_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def failure(jobid: int = 1, rule: str = "write_imagefolder", logs: str = "a.log, 22.log") -> str:
    return FAILURE.format(jobid=jobid, rule=rule, logs=logs)


def lines(log: str) -> list[str]:
    return [str(it) for it in killed_jobs.without_a_word(log)]


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
    (line,) = lines(failure())
    assert line.startswith("22.log: a job of write_imagefolder was stopped")
    assert words in line
    assert "--set-resources write_imagefolder:runtime" in line
    assert line.isprintable()


def test_what_pbs_says_lies_beside_the_log_of_the_job() -> None:
    Path("a.log.pbs").write_text("=>> PBS: job killed: walltime 1206 exceeded limit 1200\n")
    (line,) = lines(failure(logs="a.log"))
    assert line.startswith("a.log.pbs: ")
    assert "walltime 1206 exceeded limit 1200" in line


def test_without_a_scheduler_the_log_of_the_job_itself_is_named() -> None:
    Path("a.log").write_text("half of it\n")
    (line,) = lines(LOCAL_FAILURE)
    assert line.startswith("a.log: ")
    assert "half of it" in line
    assert "--cores" in line
    assert "--set-resources" not in line


def test_a_log_that_is_not_there_is_named_all_the_same() -> None:
    (line,) = lines(failure(logs="a.log"))
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
    assert [it.log for it in killed_jobs.without_a_word(failure() + failure(2, logs="b.log"))] == [Path("b.log")]


def test_a_job_that_was_tried_again_counts_by_its_last_attempt() -> None:
    tried = failure(1) + RESTART.format(jobid=1)
    assert lines(tried) == []
    assert len(lines(tried + failure(1))) == 1
    assert [it.rule for it in killed_jobs.without_a_word(failure(2, "write_tfrecord") + tried)] == ["write_tfrecord"]
    assert lines(tried.replace("job 1.", "job 11.")) != []


def test_a_run_without_failed_jobs_has_none() -> None:
    assert lines("Building DAG of jobs...\nWorkflowError:\nno\n") == []
