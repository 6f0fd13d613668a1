"""What of a run is worth a line on its terminal: how far it is, what failed and why, and what was made.

The log file of Snakemake keeps everything. Snakemake tells each record by its interface for logger plugins
(`snakemake_logger_plugin_imagenet_prep`). Of those that others keep, snakemake-logger-plugin-rich (0.5.1) is made for
terminals: it counts jobs, and no bytes in them, prints the log of a failed job, traceback and all, in place of its
cause, and says nothing at the end.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from imagenet_prep import job, killed_jobs, signals
from imagenet_prep.console import snakemake_errors, summary
from imagenet_prep.console.display import Display, result
from imagenet_prep.console.mistyped import Known
from imagenet_prep.console.stages import Job, Run, Stage, State
from imagenet_prep.killed_jobs import FailedJob

# Texts without an event that are said before each run, and tell nothing of it.
_PREAMBLE = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Updating checkpoint dependencies",
    "Using shell",
    "Conda environments: ignored",
)
_PREAMBLE_EVENTS = {"workflow_started", "resources_info"}

SPACE = "space"
"""The event of this workflow's own records: the tables of the archives and of the space that a run needs."""

# Events that are said even after the run has begun: records wait in a queue, and these may come late.
_STAY = {"run_info", SPACE}

# Errors that say only that a job has failed. Which job, an event says; why, the note that the job left.
_FAILED = (
    "returned non-zero exit status",
    "died with <Signals",
    "At least one job did not complete successfully",
    "Exiting because a job execution failed",
)
# What Snakemake says after Ctrl-C. Then it waits for its jobs to end, of which it asks a cluster only now and then.
_STOPPING = "Terminating processes on user request"
STOPPING = "Stopping: its jobs are being ended, which on a cluster can take minutes."

# Seconds of a stage that nothing is counted in, from which on its end is worth a line.
_LONG = 10.0


@dataclass(frozen=True)
class Ending:
    """How a run has ended.

    Attributes:
        succeeded: whether all was done.
        config: the configuration, complete.
        log: where Snakemake keeps all that it said.
    """

    succeeded: bool
    config: Mapping[str, Any]
    log: str


class Terminal:
    """Follows what Snakemake says, shows how far the run is, and says at its end what it has made or why it failed.

    Args:
        stream: where lines go to.
        known: what the workflow can be asked for.
        of_dry_run: gives lines for the end of a dry run that has shown jobs; of another run, none.
    """

    def __init__(self, stream: TextIO, known: Known, of_dry_run: Callable[[], Iterable[str]] = tuple) -> None:
        self._stream = stream
        self._known = known
        self._of_dry_run = of_dry_run
        self._logs = Path()
        self._run: Run | None = None
        self._display: Display | None = None
        self._failed: dict[int, FailedJob] = {}
        self._said: set[Path] = set()
        self._errors: dict[tuple[str, str], None] = {}
        self._has_jobs = False
        self._code: int | None = None
        self._ending: Ending | None = None

    def begin(self, jobs: Iterable[Job], total: int, logs: Path, quiet: set[str]) -> None:
        """Show how far the run is, from now on.

        Args:
            jobs: all that are to be done and have a log.
            total: how many are to be done in all.
            logs: the folder that they log in.
            quiet: what is not to be shown, as snakemake's option `--quiet` names it.
        """
        self._logs = logs
        run = Run(jobs, total)
        if "all" not in quiet:
            live = self._stream.isatty() and os.environ.get("TERM") != "dumb" and "progress" not in quiet
            self._display = Display(run, self._stream, live)
            if "progress" not in quiet:
                self._display.start()
        self._run = run

    def end(self, ending: Ending) -> None:
        """Note how the run has ended; `close` says it, after Snakemake's last record."""
        self._ending = ending

    def follow(self, record: logging.LogRecord) -> None:
        """Note what a record says of the run."""
        if (event := _event(record)) == "error" and not _is_of_job(text := record.getMessage()):
            self._errors[getattr(record, "exception", ""), text] = None
        self._has_jobs |= event == "run_info"
        if self._run is None:
            return
        with self._held():
            for line in list(self._noted(record, self._run)):
                if self._display:
                    self.write(line)

    def say(self, record: logging.LogRecord, text: str) -> None:
        """Write the text of a record, if it is worth a line."""
        if _event(record) == "error":
            return  # `close` says it
        if self._run is None:
            if _event(record) not in _PREAMBLE_EVENTS and not text.startswith(_PREAMBLE):
                self.write(text)
        elif _event(record) in _STAY or (
            record.levelno >= logging.WARNING and not _event(record) and not _is_of_job(text)
        ):
            self.write(text)
        elif text.startswith(_STOPPING):
            self.write(STOPPING)

    def write(self, text: str) -> None:
        """Write lines that stay."""
        if self._display:
            self._display.write(text)
            return
        with contextlib.suppress(OSError, ValueError):  # a terminal that was closed must not end the run
            print(text, file=self._stream, flush=True)

    @job.without_pandas()  # of the tables that it reads
    def close(self) -> None:
        """End with what the run has made or how far it came, and last of all the causes of failures."""
        run, ending, display, self._display = self._run, self._ending, self._display, None
        errors = [snakemake_errors.lines(*error, self._known) for error in self._errors]
        for *text, _ in errors:
            self._write_all(text)
        if run is None:
            self._write_all(self._of_dry_run() if self._has_jobs and not errors else ())
        elif display:
            display.stop()
            self._write_all(_results(run.end(display.now) if ending and ending.succeeded else []))
            if ending and ending.succeeded:
                self.write(summary.of_success(run, display.now, ending.config, ending.log))
            elif ending:
                if signals.was_stopped():
                    run.interrupt()  # the jobs that Snakemake has not reported as ended
                self.write(summary.of_failure(run, display.now, ending.log))
        causes = [f"ERROR {cause}" for cause in self._causes()] if run else []
        causes += dict.fromkeys(last for *_, last in errors)
        if ending and not ending.succeeded and not causes and not signals.was_stopped():
            causes = [
                f"ERROR {ending.log}: the run was ended from outside, or by Snakemake itself, which says above why."
            ]
        if causes:
            self._write_all(["", *causes])

    def _causes(self) -> list[str]:
        """Why jobs have failed, each cause once."""
        causes = job.failures(self._logs)
        if (self._ending and self._ending.succeeded) or signals.was_stopped():
            return causes
        said = "\n".join(text for _, text in self._errors)
        return causes + killed_jobs.without_a_word(it for it in self._failed.values() if not it.is_told_in(said))

    def _write_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def _held(self) -> contextlib.AbstractContextManager[object]:
        return self._display.held() if self._display else contextlib.nullcontext()

    def _noted(self, record: logging.LogRecord, run: Run) -> Iterable[str]:
        """Note what a record says of the run, and yield the lines that stay."""
        it = record.__dict__
        event = _event(record)
        now = self._display.now if self._display else 0.0
        if event == "job_info":
            failed = self._failed.pop(it["jobid"], None)
            if failed and not job.is_lasting(failed.log):  # else this attempt ends at once, and the run with the cause
                yield f"{failed.rule} is tried again: {failed.why}"
            if it["log"]:
                run.start(it["jobid"], Job.of(it["rule_name"], it["wildcards"], it["log"][0]), now)
        elif event == "job_finished":
            yield from _results([run.finish(it["job_id"], now)])
        elif event == "error":
            self._code = killed_jobs.exit_code(record.getMessage())  # of the job whose failure the next record reports
        elif event == "job_error":
            failed, self._code = FailedJob.of(it, self._logs, self._code), None
            self._failed[it["jobid"]] = failed
            if signals.was_stopped() and not job.cause(failed.log):
                run.interrupt(it["jobid"])
                return
            run.fail(it["jobid"])
            if run.number(State.RUNNING) and not signals.was_stopped() and failed.log not in self._said:
                self._said.add(failed.log)
                yield f"{failed.rule} has failed: {failed.log}"
        elif event == "progress":
            run.done, run.total = it["done"], it["total"]


def _results(over: Iterable[Stage | None]) -> Iterable[str]:
    """A line for each finished stage that is worth one."""
    return (result(stage) for stage in over if stage and (stage.count or stage.seconds >= _LONG))


def _is_of_job(text: str) -> bool:
    """Whether an error says no more than that a job has failed."""
    return any(phrase in text for phrase in _FAILED)


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", None) or "")
