"""What of a run reaches its terminal: records as Snakemake 9 makes them, through the plugin and a logger's queue."""

from __future__ import annotations

import io
import logging
import logging.handlers
import queue
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from console.runs import jobs_of
from imagenet_prep import job, progress, signals
from imagenet_prep.console.mistyped import Known
from imagenet_prep.console.terminal import STOPPING, Ending, Terminal
from imagenet_prep.errors import PrepError
from snakemake_logger_plugin_imagenet_prep import LogHandler

LOGS = [Path(f"logs/write_tfrecord/train-{number}.log") for number in range(2)]
TARGETS = ["imagefolder", "tfrecord", "tfrecord_index", *(f"tfrecord_{split}" for split in ("train", "validation"))]
CONFIG: dict[str, Any] = {"output_dir": ".", "publish": {"url": None}}
STOPPED_SHORT = "0 of 2 jobs done in 0 s, 1 failed. Snakemake's own log: a.log"
CAUSE = "ERROR a.tar: it is damaged in place {}. Get it again."


class Snakemake:
    """Snakemake's logger with its queue and this plugin, for a run of two jobs of one stage."""

    def __init__(self, quiet: set[str]) -> None:
        choices = {Quietness.parse_choice(it) for it in quiet}
        settings: Any = SimpleNamespace(quiet=choices, dryrun=False, verbose=False, debug_dag=False, stdout=False)
        self.shown = io.StringIO()
        self.handler = LogHandler(settings, None)
        self.handler.stream = self.shown
        self.handler.addFilter(DefaultFilter(choices, False, False, False, False))
        self.handler.setFormatter(DefaultFormatter(choices, False))
        self.terminal = Terminal(self.shown, Known(CONFIG, lambda: TARGETS, list))
        waiting: queue.Queue[Any] = queue.Queue()
        self.logger = logging.Logger("snakemake", logging.INFO)
        self.logger.addHandler(logging.handlers.QueueHandler(waiting))
        self._listener = logging.handlers.QueueListener(waiting, self.handler, respect_handler_level=True)
        self._listener.start()

    @property
    def quiet(self) -> set[str]:
        return self.handler.quiet

    def begin(self, beginning: int = 2) -> None:
        """Read the workflow and begin its first job, or both."""
        self.handler.show_on(self.terminal)
        self.terminal.begin(jobs_of("write_tfrecord", LOGS), 2, Path("logs"), self.quiet)
        for number in range(beginning):
            self.start(number)

    def tell(self, event: LogEvent, message: str = "", **fields: Any) -> None:
        self.logger.info(message, extra={"event": event, **fields})

    def start(self, number: int) -> None:
        fields = {"rule_name": "write_tfrecord", "wildcards": {"split": "train"}, "log": [str(LOGS[number])]}
        self.tell(LogEvent.JOB_INFO, jobid=number, rule_msg="Write", reason="", local=True, **fields)

    def error(self, exception: str, message: str) -> None:
        """Tell of an error that ends the run, as Snakemake does."""
        self.logger.error(f"{exception}:\n{message}", extra={"event": LogEvent.ERROR, "exception": exception})

    def fail(self, number: int, message: str | None = None, **aux: str) -> None:
        """Tell of a job that has failed, as Snakemake does."""
        self.logger.error(
            "Error in rule",
            extra={
                "event": LogEvent.JOB_ERROR,
                "jobid": number,
                "rule_name": "write_tfrecord",
                "rule_msg": message,
                "log": [str(LOGS[number])],
                "aux": aux,
                **dict.fromkeys(("input", "output", "conda_env", "shellcmd")),
            },
        )

    def end(self, *, succeeded: bool) -> str:
        """End the run; return all that was shown of it."""
        self.terminal.end(Ending(succeeded, CONFIG, "a.log"))
        return self.stop()

    def stop(self) -> str:
        """Stop as Snakemake does."""
        self._listener.stop()
        self.handler.close()
        return self.shown.getvalue()


@pytest.fixture(autouse=True)
def own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)  # `job.run` sets it for its process,
    monkeypatch.setattr(progress, "_report", progress._Report())  # and where that reports


@pytest.fixture
def snakemake(request: pytest.FixtureRequest) -> Snakemake:
    return Snakemake(getattr(request, "param", set()))


def fail(number: int, error: Exception | None = None) -> None:
    """Do as a job that finds something wrong."""

    def main(snakemake: Any) -> None:
        raise error or PrepError("a.tar", f"it is damaged in place {number}", "Get it again")

    with pytest.raises(SystemExit):
        job.run(main, SimpleNamespace(log=[str(LOGS[number])], config={"output_dir": "results"}, resources={}))


def test_what_bores_is_left_out(snakemake: Snakemake) -> None:
    snakemake.begin()
    snakemake.logger.info("Select jobs to execute...")
    snakemake.logger.info("a phrase of the next release")
    snakemake.logger.error("RuleException:\nCalledProcessError: Command 'python x.py' returned non-zero exit status 1.")
    snakemake.tell(LogEvent.PROGRESS, done=1, total=2)
    assert snakemake.stop() == ""


def test_what_is_not_known_to_bore_is_said(snakemake: Snakemake) -> None:
    snakemake.begin()
    snakemake.logger.error("MissingOutputException: Job completed successfully, but some output files are missing.")
    snakemake.logger.warning("the queue is closed on Sundays")
    shown = snakemake.stop()
    assert shown.startswith("MissingOutputException")
    assert shown.endswith("the queue is closed on Sundays\n")


def test_what_was_said_before_the_run_begins_stays_though_it_comes_late(snakemake: Snakemake) -> None:
    snakemake.begin(0)
    snakemake.tell(LogEvent.RUN_INFO, "Job stats:\ntotal 2", stats={})
    assert snakemake.stop() == "Job stats:\ntotal 2\n"


def test_a_failure_beside_jobs_that_go_on_is_said_at_once_and_its_cause_at_the_end(snakemake: Snakemake) -> None:
    snakemake.begin()
    fail(0)
    snakemake.fail(0)
    lines = snakemake.end(succeeded=False).splitlines()
    assert lines == [f"write_tfrecord has failed: {LOGS[0]}", "", STOPPED_SHORT, "", CAUSE.format(0)]


def test_each_cause_is_said_once(snakemake: Snakemake) -> None:
    snakemake.begin()
    for number in range(2):
        fail(number, PrepError("a.tar", "it is damaged", "Get it again"))
        snakemake.fail(number)
    assert snakemake.end(succeeded=False).count("it is damaged") == 1


def test_why_a_job_is_tried_again_is_said_when_that_begins(snakemake: Snakemake) -> None:
    snakemake.begin(1)
    fail(0, OSError(5, "Input/output error", "b.parquet"))
    snakemake.fail(0)
    snakemake.start(0)
    assert snakemake.stop().startswith("write_tfrecord is tried again: b.parquet: Input/output error. ")


def test_a_job_that_fails_again_and_again_beside_others_is_said_once(snakemake: Snakemake) -> None:
    snakemake.begin()
    for _ in range(3):
        fail(0)
        snakemake.fail(0)
        snakemake.start(0)
    assert snakemake.end(succeeded=False).count("has failed") == 1


def test_what_will_fail_again_is_not_said_before_the_end(snakemake: Snakemake) -> None:
    snakemake.begin(1)
    for _ in range(2):
        fail(0)
        snakemake.fail(0)
        snakemake.start(0)
    assert snakemake.end(succeeded=False).count(CAUSE.format(0)) == 1


def test_a_job_that_was_killed_is_told_on_the_last_line(snakemake: Snakemake) -> None:
    snakemake.begin(1)
    snakemake.fail(0, "SLURM-job '22' failed, SLURM status is: 'TIMEOUT'.", external_jobid="22")
    last = snakemake.end(succeeded=False).splitlines()[-1]
    assert last.startswith(f"ERROR {LOGS[0]}: a job of write_tfrecord was stopped")
    assert "'TIMEOUT'" in last


def test_jobs_that_ctrl_c_ended_are_called_neither_killed_nor_failed(
    snakemake: Snakemake, monkeypatch: pytest.MonkeyPatch
) -> None:
    snakemake.begin()
    monkeypatch.setattr(signals, "was_stopped", lambda: True)
    snakemake.fail(0)  # of the other one Snakemake does not come to tell
    assert snakemake.end(succeeded=False) == f"\n{STOPPED_SHORT.replace('1 failed', '2 interrupted')}\n"


def test_that_jobs_are_waited_for_after_ctrl_c_is_said_at_once(snakemake: Snakemake) -> None:
    snakemake.begin()
    snakemake.logger.info("Terminating processes on user request, this might take some time.")
    assert STOPPING in snakemake.end(succeeded=False)


def test_a_job_that_failed_by_itself_is_called_so_though_the_run_was_stopped_then(
    snakemake: Snakemake, monkeypatch: pytest.MonkeyPatch
) -> None:
    snakemake.begin()
    monkeypatch.setattr(signals, "was_stopped", lambda: True)
    fail(0)
    for number in range(2):
        snakemake.fail(number)
    assert STOPPED_SHORT.replace("1 failed", "1 failed, 1 interrupted") in snakemake.end(succeeded=False)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "PermissionError in file \"x.smk\", line 14:\n[Errno 13] Permission denied: '/a/b'",
            "Give yourself the right",
        ),
        (
            "Failed to create output directory /a/b.\nOSError: [Errno 28] No space left on device: '/a/b'",
            "Make room on that file system",
        ),
    ],
)
def test_an_error_of_the_system_that_snakemake_meets_itself_names_the_file_and_what_to_do(
    snakemake: Snakemake, said: str, words: str
) -> None:
    snakemake.begin()
    snakemake.error("WorkflowError", said)
    last = snakemake.end(succeeded=False).splitlines()[-1]
    assert last.startswith("ERROR /a/b: ")
    assert words in last


def test_a_run_that_ends_without_a_failed_job_names_snakemake_s_log(snakemake: Snakemake) -> None:
    snakemake.begin()
    last = snakemake.end(succeeded=False).splitlines()[-1]
    assert last == "ERROR a.log: the run was ended from outside, or by Snakemake itself, which says above why."


@pytest.mark.parametrize("snakemake", [{"all"}], indirect=True)
def test_a_run_that_is_to_say_nothing_says_why_it_failed(snakemake: Snakemake) -> None:
    snakemake.begin()
    fail(1)
    snakemake.fail(1)
    assert snakemake.end(succeeded=False) == f"\n{CAUSE.format(1)}\n"


@pytest.mark.parametrize("snakemake", [{"progress"}], indirect=True)
def test_a_run_that_is_to_be_quiet_about_progress_has_done_all_at_its_end(snakemake: Snakemake) -> None:
    snakemake.begin()
    assert snakemake.end(succeeded=True).startswith("\nDone: 2 jobs in 0 s\n")


@pytest.mark.parametrize("snakemake", [{"rules"}], indirect=True)
def test_a_run_that_is_to_be_quiet_about_rules_is_followed_all_the_same(snakemake: Snakemake) -> None:
    snakemake.begin()
    for number in range(2):
        snakemake.tell(LogEvent.JOB_FINISHED, job_id=number)
        snakemake.tell(LogEvent.PROGRESS, done=number + 1, total=2)
    assert snakemake.end(succeeded=True).startswith("\nDone: 2 jobs in 0 s\n")


@pytest.mark.parametrize("snakemake", [{"progress"}], indirect=True)
def test_a_run_that_is_to_be_quiet_about_progress_says_at_its_end_what_its_jobs_did(snakemake: Snakemake) -> None:
    snakemake.begin(0)  # it tells of no job
    for log in LOGS:
        progress._report = progress._Report()  # each is a process of its own
        progress.report_to(log)
        progress.Progress("writing", 600, images=20).advance(600, images=20)
    assert snakemake.end(succeeded=True).startswith("write_tfrecord train: 40 images, 1 kB\n\nDone: 2 jobs in 0 s\n")


def test_before_the_run_all_is_said_but_the_preamble(snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    snakemake.logger.info("Building DAG of jobs...")
    snakemake.logger.info("Nothing to be done.")
    assert snakemake.stop() == "Nothing to be done.\n"


def test_a_mistyped_target_is_answered_in_one_line(snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    snakemake.error("MissingRuleException", "No rule to produce tfrecrd (if you use input functions make sure …)")
    assert snakemake.stop() == "\nERROR target tfrecrd: there is no such target. Did you mean tfrecord?\n"


@pytest.mark.parametrize(
    "typed", ["tfrecord_val", "tfrecord_valid", "tfrecords_val", "tfrecord_validaton", "tfrecrd_v"]
)
def test_a_mistyped_target_with_a_split_is_answered_with_that_split(typed: str, snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    snakemake.error("MissingRuleException", f"No rule to produce {typed} (if you use input functions make sure …)")
    assert snakemake.stop().endswith("Did you mean tfrecord_validation?\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("results/scores/resnet50", "Did you mean scores/resnet50.json?"),
        ("results/scores/resnet50.csv", "Did you mean scores/resnet50.json?"),
        ("scores/resnet50.v2.npy", "Did you mean scores/resnet50.v2.json?"),
        ("results/score/resnet50.json", "Did you mean scores/resnet50.json?"),
        ("results/tfrecord", "Did you mean the target tfrecord?"),
        ("results/tfrecord/", "Did you mean the target tfrecord?"),
    ],
)
def test_a_path_like_that_of_scores_or_of_a_product_is_answered_with_it(
    typed: str, meant: str, snakemake: Snakemake
) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    snakemake.error("MissingRuleException", f"No rule to produce {typed} (if you use input functions make sure …)")
    assert snakemake.stop().endswith(f"nothing makes a file of this name. {meant}\n")


def test_a_name_that_snakemake_takes_for_a_variable_is_told(snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    text = "Error:\n  UndefinedPathvarException: Undefined pathvar 'b' when expanding pathvars in scores/a<b>.json."
    snakemake.error("WorkflowError", text)
    assert snakemake.stop().startswith("\nERROR scores/a<b>.json: Snakemake takes <b> for the name of a variable.")


def test_a_run_whose_locks_another_one_took_along_is_to_be_started_again(snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    place = "/data/prep/.snakemake/locks/0.input.lock"
    text = f"Traceback (most recent call last):\n\nFileNotFoundError: [Errno 2] No such file or directory: '{place}'"
    snakemake.error("FileNotFoundError", text)
    (line,) = snakemake.stop().strip().splitlines()
    assert line.startswith(f"ERROR {Path.cwd()}: another run in this folder has ended just now")
    assert line.endswith("Run the same command again.")


def test_a_target_like_no_other_is_answered_with_where_they_are(snakemake: Snakemake) -> None:
    snakemake.handler.show_on(snakemake.terminal)
    snakemake.error("MissingRuleException", "No rule to produce xyzzy (if you use input functions make sure …)")
    assert "The README has a table" in snakemake.stop()


def test_without_the_workflow_all_is_said_as_snakemake_says_it(snakemake: Snakemake) -> None:
    snakemake.logger.info("Building DAG of jobs...")
    assert snakemake.stop() == "Building DAG of jobs...\n"
