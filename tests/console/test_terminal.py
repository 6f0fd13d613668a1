"""What of Snakemake's words reaches its terminal: records as Snakemake 9 makes them, through the real handlers."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imagenet_prep import job, progress
from imagenet_prep.console import terminal
from imagenet_prep.errors import PrepError

LOGS = [Path(f"logs/write_tfrecord/train-{number}.log") for number in range(2)]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)  # `job.run` sets it for its process,
    monkeypatch.setattr(progress, "_report", progress._Report())  # and where that reports
    return io.StringIO()


@pytest.fixture
def logger(shown: io.StringIO) -> Iterator[logging.Logger]:
    """Snakemake's logger, as it is when it reads a workflow."""
    logger = logging.Logger("snakemake", logging.INFO)
    handler = logging.StreamHandler(shown)
    handler.name = "DefaultStreamHandler"
    logger.addHandler(handler)
    yield logger
    for it in logger.handlers:
        it.close()


@pytest.fixture
def run(logger: logging.Logger, shown: io.StringIO) -> Iterator[terminal.Terminal]:
    """A run of two jobs, of which both have begun."""
    taken = terminal.take(logger, tuple)
    assert taken
    taken.show(shown, False, lambda: [("write_tfrecord", "train", log) for log in LOGS])
    for number in range(2):
        tell(logger, "job_info", jobid=number, log=[str(LOGS[number])])
    yield taken
    taken.end(lambda run, seconds: "the end")


def tell(logger: logging.Logger, event: str, message: str = "", **fields: Any) -> None:
    logger.info(message, extra={"event": event, **fields})


def fail(number: int) -> None:
    """Do as a job that finds something wrong."""

    def main(snakemake: Any) -> None:
        raise PrepError("a.tar", f"it is damaged in place {number}", "Get it again")

    with pytest.raises(SystemExit):
        job.run(main, SimpleNamespace(log=[str(LOGS[number])], config={"output_dir": "results"}, resources={}))


def test_what_bores_is_left_out(run: terminal.Terminal, logger: logging.Logger, shown: io.StringIO) -> None:
    logger.info("Select jobs to execute...")
    logger.error("RuleException:\nCalledProcessError: Command 'python x.py' returned non-zero exit status 1.")
    tell(logger, "progress", done=1, total=2)
    assert shown.getvalue() == ""


def test_what_is_not_known_to_bore_is_said(run: terminal.Terminal, logger: logging.Logger, shown: io.StringIO) -> None:
    logger.error("MissingOutputException: Job completed successfully, but some output files are missing.")
    assert shown.getvalue().startswith("MissingOutputException")


def test_of_a_failure_beside_jobs_that_go_on_the_cause_is_said_at_once(
    run: terminal.Terminal, logger: logging.Logger, shown: io.StringIO
) -> None:
    fail(0)
    tell(logger, "job_error", jobid=0, log=[str(LOGS[0])])
    assert shown.getvalue() == "ERROR a.tar: it is damaged in place 0. Get it again.\n"
    fail(1)
    tell(logger, "job_error", jobid=1, log=[str(LOGS[1])])
    assert "place 1" not in shown.getvalue(), "the last lines of the run will tell it"


def test_why_a_job_is_tried_again_is_said_before_that(
    run: terminal.Terminal, logger: logging.Logger, shown: io.StringIO
) -> None:
    for number in range(2):
        fail(number)
    tell(logger, "job_error", jobid=0, log=[str(LOGS[0])])
    tell(logger, "job_error", jobid=1, log=[str(LOGS[1])])
    logger.info("Trying to restart job 1.")
    assert shown.getvalue().splitlines()[-2:] == [
        "ERROR a.tar: it is damaged in place 1. Get it again.",
        "Trying to restart job 1.",
    ]


def test_before_the_run_all_is_said_but_the_preamble(logger: logging.Logger, shown: io.StringIO) -> None:
    terminal.take(logger, tuple)
    logger.info("Building DAG of jobs...")
    tell(logger, "workflow_started", "Workflow has started!")
    logger.info("Nothing to be done.")
    tell(logger, "job_info", "Job 0: as in a dry run", jobid=0, log=[])
    assert shown.getvalue() == "Nothing to be done.\nJob 0: as in a dry run\n"


def test_a_snakemake_that_is_to_say_everything_does(logger: logging.Logger) -> None:
    logger.setLevel(logging.DEBUG)
    before = list(logger.handlers)
    assert terminal.take(logger, tuple) is None
    assert logger.handlers == before


def test_a_plugin_that_shows_runs_is_left_alone() -> None:
    logger = logging.Logger("snakemake")
    logger.addHandler(logging.NullHandler())
    assert terminal.take(logger, tuple) is None
