"""What Snakemake says of a run on its terminal, less what bores or buries; its own log file keeps everything.

Snakemake has plugins for this. The one for terminals that is kept, snakemake-logger-plugin-rich, counts jobs alone,
calls itself unstable (0.5.1), and is torn by what jobs print. A plugin of our own would have to be installed beside
Snakemake, and could do no more than this handler of the standard library's logging.
"""

from __future__ import annotations

import atexit
import difflib
import logging
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from imagenet_prep import job
from imagenet_prep.console.display import Display, result
from imagenet_prep.console.stages import Run, Stage, State

# What is said before a run begins, and says nothing of it.
_HEADER = "workflow_started"
_PREAMBLE = (
    "Config file",
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Updating checkpoint dependencies",
    "Using shell",
    "Provided cores",
    "Rules claiming more",
    "Conda environments: ignored",
)

# Events of Snakemake 9 that the display shows in its own way, and phrases of records without an event. A release that
# words them otherwise shows some lines more.
_EVENTS = {
    "job_info",
    "job_started",
    "job_finished",
    "job_error",
    "group_info",
    "group_error",
    "shellcmd",
    "progress",
    "resources_info",
}
_PHRASES = (
    "Select jobs to execute",
    "DAG of jobs will be updated",
    "Updating checkpoint dependencies",
    "Touching output file",
    "Removing output file",
    "Shutting down, this might",
    "Exiting because a job execution failed",
    "Complete log",
    "Elapsed time",
)
_FAILED = ("returned non-zero exit status", "died with <Signals", "At least one job did not complete successfully")
_AGAIN = "Trying to restart job"
_NO_TARGET = re.compile(r"No rule to produce (\w+) \(")  # of a name that is no path

# Seconds of a stage that nothing is counted in, from which on its end is worth a line.
_LONG = 10.0


class Terminal(logging.Handler):
    """Takes the place of the handler by which Snakemake writes to its terminal, and leaves to it what is to be said.

    Args:
        inner: that handler.
        targets: gives the names that a target can have beside paths.
    """

    def __init__(self, inner: logging.Handler, targets: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._inner = inner
        self._targets = targets
        self._display: Display | None = None
        self._unfinished: Callable[[], Iterable[tuple[str, str, Path]]] = tuple
        self._logs: dict[int, Path] = {}
        self._untold: list[Path] = []

    def show(self, stream: TextIO, live: bool, unfinished: Callable[[], Iterable[tuple[str, str, Path]]]) -> None:
        """Follow the run from now on, and show how far it is.

        Args:
            stream: where to.
            live: whether lines can be drawn again there.
            unfinished: gives rule, subject and log of all jobs that are still to be done.
        """
        run = Run()
        run.expect(unfinished(), 0.0)
        self._unfinished = unfinished
        self._display = Display(run, stream, live)
        self._display.start()
        atexit.register(self._display.stop)

    def end(self, last_lines: Callable[[Run, float], str]) -> None:
        """Show the run no more, but these lines of it, made of the run and its seconds."""
        if self._display:
            self._display.stop()
            with self._display.held() as run:
                for line in _results(run.expect(self._unfinished(), self._display.now)):
                    self._display.write(line)
                self._display.write(last_lines(run, self._display.now))

    def emit(self, record: logging.LogRecord) -> None:
        """Follow what is said, and say it if it is worth that."""
        try:
            if self._display is None:
                if _event(record) != _HEADER and not record.getMessage().startswith(_PREAMBLE):
                    self._inner.handle(record)
                if hint := _no_target(record.getMessage(), self._targets()):
                    print(f"\nERROR {hint}", file=sys.stderr)
                return
            with self._display.held() as run:
                for line in self._follow(record, run):
                    self._display.write(line)
                if not _is_boring(record):
                    self._display.clear()
                    self._inner.handle(record)
        except Exception:  # as all handlers do: a line that cannot be shown must not end the run
            self.handleError(record)

    def close(self) -> None:
        """Close both."""
        self._inner.close()
        super().close()

    def _follow(self, record: logging.LogRecord, run: Run) -> Iterable[str]:
        """Take down what a record says of the run, and yield the lines that stay."""
        it = record.__dict__
        event = _event(record)
        now = self._display.now if self._display else 0.0
        if event == "job_info":
            yield from _results(run.expect(self._unfinished(), now))
            if it["log"]:
                self._logs[it["jobid"]] = Path(it["log"][0])
                run.start(self._logs[it["jobid"]], now)
        elif event == "job_finished" and it["job_id"] in self._logs:
            yield from _results([run.finish(self._logs[it["job_id"]], now)])
        elif event == "job_error" and it["log"]:
            self._untold.append(Path(it["log"][0]))
            run.fail(self._untold[-1])
        # The last lines of the run tell of all failures; of one whose run goes on it is good to know before.
        if self._untold and (run.number(State.RUNNING) or record.getMessage().startswith(_AGAIN)):
            yield from (f"ERROR {cause}" for cause in map(job.cause, self._untold) if cause)
            self._untold.clear()


def _results(over: Iterable[Stage | None]) -> Iterable[str]:
    """What the stages have done that are over, where that is worth a line."""
    return (result(stage) for stage in over if stage and (stage.count or stage.seconds >= _LONG))


def _no_target(message: str, targets: Iterable[str]) -> str | None:
    """What to say, beside this message of Snakemake's, of a target that is mistyped; None if it is about none."""
    found = _NO_TARGET.search(message)
    if not found:
        return None
    near = difflib.get_close_matches(found[1], list(targets), 1)
    meant = f"Did you mean {near[0]}?" if near else "The README has a table of the products and their targets."
    return f"target {found[1]}: there is no such target. {meant}"


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", None) or "")


def _is_boring(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    failed = any(phrase in message for phrase in _FAILED)
    return _event(record) in _EVENTS or message.startswith(_PHRASES) or failed


def take(logger: logging.Logger, targets: Callable[[], Iterable[str]]) -> Terminal | None:
    """Take the place of Snakemake's own handler for its terminal; None if there is none, or it is to say everything."""
    inner = next((it for it in logger.handlers if it.name == "DefaultStreamHandler"), None)
    if inner is None or logger.level <= logging.DEBUG:
        return None
    terminal = Terminal(inner, targets)
    logger.removeHandler(inner)
    logger.addHandler(terminal)
    return terminal
