"""What of a run is worth a line on its terminal: how far it is, what failed and why, and what is there.

The log file of Snakemake keeps everything. Snakemake tells each record by its interface for logger plugins
(`snakemake_logger_plugin_imagenet_prep`). Of those that others keep, snakemake-logger-plugin-rich (0.5.1) is made for
terminals: it counts jobs, and no bytes in them, prints the log of a failed job, traceback and all, in place of its
cause, and says nothing at the end.
"""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from imagenet_prep import job, killed_jobs, signals
from imagenet_prep.console import summary
from imagenet_prep.console.display import Display, result
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
"""The event of this workflow's own record, which tells the space that a run needs."""

# Events that are said whenever they come: records wait in a queue, so that these may come when the run has begun.
_STAY = {"run_info", SPACE}

# Errors that tell only that a job has failed; which one, an event tells, and why, the job itself.
_FAILED = (
    "returned non-zero exit status",
    "died with <Signals",
    "At least one job did not complete successfully",
    "Exiting because a job execution failed",
)
_NO_TARGET = re.compile(r"No rule to produce (\w+) \(")  # of a name that is no path

_LIKENESS = 0.8  # of difflib, from which on a part of a target is the same with a slip

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
        targets: gives the names that a target can have beside paths.
    """

    def __init__(self, stream: TextIO, targets: Callable[[], Iterable[str]]) -> None:
        self._stream = stream
        self._targets = targets
        self._logs = Path()
        self._run: Run | None = None
        self._display: Display | None = None
        self._failed: dict[int, FailedJob] = {}
        self._said: set[Path] = set()
        self._code: int | None = None
        self._ending: Ending | None = None

    def begin(self, jobs: Iterable[Job], total: int, logs: Path, quiet: set[str]) -> None:
        """Show from now on how far the run is.

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
        """Take down how the run has ended; `close` says it, when Snakemake has said all."""
        self._ending = ending

    def follow(self, record: logging.LogRecord) -> None:
        """Take down what a record tells of the run."""
        if self._run is None:
            return
        with self._held():
            for line in list(self._told(record, self._run)):
                if self._display:
                    self.write(line)

    def say(self, record: logging.LogRecord, text: str) -> None:
        """Write what Snakemake has to say with a record, if it is worth a line."""
        if self._run is None:
            if hint := _no_target(text, self._targets()):
                self.write(f"\nERROR {hint}")
            elif _event(record) not in _PREAMBLE_EVENTS and not text.startswith(_PREAMBLE):
                self.write(text)
        elif _event(record) in _STAY or (record.levelno >= logging.WARNING and _is_news(record, text)):
            self.write(text)

    def write(self, text: str) -> None:
        """Write lines that stay."""
        if self._display:
            self._display.write(text)
            return
        with contextlib.suppress(OSError, ValueError):  # a terminal that was closed must not end the run
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Show the run no more, but what it has made or how far it came, and last of all the causes of failures."""
        if self._run is None:
            return
        run, ending, display, self._display = self._run, self._ending, self._display, None
        if display:
            display.stop()
            for line in _results(run.end(display.now) if ending and ending.succeeded else []):
                self.write(line)
            if ending and ending.succeeded:
                self.write(summary.of_success(run, display.now, ending.config, ending.log))
            elif ending:
                if signals.was_stopped():
                    run.interrupt()  # those of which Snakemake has not told that they ended
                self.write(summary.of_failure(run, display.now, ending.log))
        causes = job.failures(self._logs)
        if ending and not ending.succeeded and not signals.was_stopped():
            causes += killed_jobs.without_a_word(self._failed.values())
            unknown = f"{ending.log}: the run was ended from outside, or by Snakemake itself, which says above why."
            causes = causes or [unknown]
        if causes:
            self.write("\n".join(["", *(f"ERROR {cause}" for cause in causes)]))

    def _held(self) -> contextlib.AbstractContextManager[object]:
        return self._display.held() if self._display else contextlib.nullcontext()

    def _told(self, record: logging.LogRecord, run: Run) -> Iterable[str]:
        """Take down what a record says of the run, and yield the lines that stay."""
        it = record.__dict__
        event = _event(record)
        now = self._display.now if self._display else 0.0
        if event == "job_info" and it["log"]:
            failed = self._failed.pop(it["jobid"], None)
            if failed and not job.is_lasting(failed.log):  # else this attempt ends at once, and the run with the cause
                yield f"{failed.rule} is tried again: {failed.why}"
            run.start(it["jobid"], Job.of(it["rule_name"], it["wildcards"], it["log"][0]), now)
        elif event == "job_finished":
            yield from _results([run.finish(it["job_id"], now)])
        elif event == "error":
            self._code = killed_jobs.exit_code(record.getMessage())  # of the job whose failure is told next
        elif event == "job_error":
            failed, self._code = FailedJob.of(it, self._code), None
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
    """What the stages have done that are over, where that is worth a line."""
    return (result(stage) for stage in over if stage and (stage.count or stage.seconds >= _LONG))


def _no_target(message: str, targets: Iterable[str]) -> str | None:
    """What to say, in place of this message of Snakemake's, of a target that is mistyped; None if it is about none."""
    found = _NO_TARGET.search(message)
    if not found:
        return None
    near = _meant(found[1], list(targets))
    meant = f"Did you mean {near}?" if near else "The README has a table of the products and their targets."
    return f"target {found[1]}: there is no such target. {meant}"


def _meant(typed: str, targets: Sequence[str]) -> str | None:
    """The target that was probably meant; None where none is similar.

    Of `tfrecord_val` that is `tfrecord_validation`, though `tfrecord` is more similar: it would want the train archive,
    which nobody asked for who names a split.
    """
    parts = typed.split("_")
    alike = [it for it in targets if len(it.split("_")) == len(parts) and all(map(_is_short_for, parts, it.split("_")))]
    near = difflib.get_close_matches(typed, alike or targets, 1, 0.0 if alike else 0.6)
    return near[0] if near else None


def _is_short_for(typed: str, part: str) -> bool:
    """Whether a part of a target is what was typed, cut off or with a slip."""
    return bool(typed) and (part.startswith(typed) or difflib.SequenceMatcher(None, typed, part).ratio() >= _LIKENESS)


def _is_news(record: logging.LogRecord, text: str) -> bool:
    """Whether it tells more than that a job has failed."""
    return _event(record) in ("", "error") and not any(phrase in text for phrase in _FAILED)


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", None) or "")
