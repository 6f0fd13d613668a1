"""Jobs that ended without a word: a cluster stopped them, or the machine killed them for want of memory.

They could leave no cause. Snakemake tells which they were, and what the scheduler wrote tells why.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from imagenet_prep import interpreter, job

# What begins a line that tells why: of a script of this workflow, of Slurm, of PBS.
_WHY = re.compile(r"ERROR |slurmstepd.*?: error: |=>> PBS: ")
_TAIL = 1 << 16

# Exit codes of a shell that could not start a program, and of Python where a script fails before it can leave a cause.
_NO_START = {
    126: f"{interpreter.PYTHON} may not be executed",
    127: f"{interpreter.PYTHON}, or a program that it needs, is not there",
}
_UNCAUGHT = 1
_EXIT_CODE = re.compile(r"returned non-zero exit status (\d+)")


@dataclass(frozen=True)
class FailedJob:
    """A job that failed.

    Attributes:
        rule: the name of its rule.
        log: where the workflow's script logs.
        output: where the scheduler puts what the job prints; None where there is no scheduler, or it put nothing.
        on_cluster: whether a scheduler ran it, or was to.
        message: what Snakemake's plugin for the scheduler said; empty where there is none, or it said nothing.
        is_foreign: whether its rule is one of a workflow that takes this one as a module: it leaves no cause.
        command: of such a job, what it has the shell do; empty where it does something else.
        code: the exit code of its command; None where that is not known.
    """

    rule: str
    log: Path
    output: Path | None
    on_cluster: bool
    message: str
    is_foreign: bool = False
    command: str = ""
    code: int | None = None

    @classmethod
    def of(cls, event: Mapping[str, Any], logs: Path, code: int | None = None) -> FailedJob:
        """The job of an event `job_error` of Snakemake 9; of its logs the rule's own comes first.

        Jobs of this workflow log below the folder `logs`.
        """
        log, *more = event["log"] or [event["rule_name"]]
        outputs = [Path(path) for path in (*more, f"{log}.pbs") if os.path.exists(path)]
        message = str(event["rule_msg"] or "")
        return cls(
            event["rule_name"],
            Path(log),
            outputs[0] if outputs else None,
            bool(event["aux"] or message),
            message,
            is_foreign=not Path(log).is_relative_to(logs),
            command=" ".join(str(event["shellcmd"] or "").split()),
            code=code,
        )

    @property
    def why(self) -> str:
        """What is known of why it failed: the cause that it left, or where it would stand."""
        return job.cause(self.log) or self._problem

    def is_told_in(self, text: str) -> bool:
        """Whether Snakemake says in this text why it failed, as it does of code in a rule of another workflow."""
        return self.is_foreign and re.search(rf"\b(rule |__rule_){re.escape(self.rule)}\b", text) is not None

    def __str__(self) -> str:
        if self.is_foreign:
            return f"{self._problem} {job.RUN_AGAIN} when that is mended."
        if self._no_start:
            return f"{self._no_start}. Mend that (`make env` makes the environment), then run the same command again."
        remedy = job.RUN_AGAIN
        if self.on_cluster:
            remedy += (
                "; if it was stopped for want of time or memory, with more of it, such as "
                f"--set-resources {self.rule}:runtime=480 {self.rule}:{job.MORE_MEMORY}"
            )
        else:
            remedy += f"; if memory was short, {job.FEWER_CORES}"
        return f"{self._problem} {remedy}."

    @cached_property
    def _no_start(self) -> str | None:
        """Why it could not even start; None where it did, as far as is known."""
        reason = _NO_START.get(self.code or 0)
        if self.code == _UNCAUGHT and not self.on_cluster:
            reason = interpreter.failing_import() or "what Python said of it stands above"
        return f"{self.log}: a job of {self.rule} could not start (exit code {self.code}): {reason}" if reason else None

    @property
    def _problem(self) -> str:
        if self.is_foreign:
            what = f"its command has failed: {self.command}" if self.command else "its job has failed"
            log = f", and in {self.log}" if str(self.log) != self.rule else ""
            return f"rule {self.rule}: {what}. What it printed stands above{log}."
        place = self.output or self.log
        words = last_words(place) or " ".join(self.message.splitlines()[:1])
        said = f' (there: "{words}")' if words else ""
        return f"{place}: a job of {self.rule} was stopped, or killed, before it could say why{said}."


def exit_code(message: str) -> int | None:
    """The exit code that an error of Snakemake's tells; None where it tells none."""
    found = _EXIT_CODE.search(message)
    return int(found[1]) if found else None


def without_a_word(failed: Iterable[FailedJob]) -> list[str]:
    """A line of each of these jobs that has left no cause."""
    return [str(it) for it in failed if not job.cause(it.log)]


def last_words(path: Path) -> str:
    """The line of a log that tells why its job ended, or else its last one; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    return next((line for line in lines if _WHY.match(line)), lines[-1] if lines else "")
