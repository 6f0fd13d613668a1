"""Jobs that ended without a word: a cluster stopped them, or the machine killed them for want of memory.

They could leave no cause, so the log of Snakemake tells which they were, and what the scheduler wrote tells why.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from imagenet_prep import job

# What is known of a failed job: lines indented below a headline, as Snakemake 9 writes them.
_FAILURE = re.compile(r"^Error in rule (?P<rule>\w+):\n(?P<fields>(?: +\w+:.*\n)+)", re.MULTILINE)
_FIELD = re.compile(r"^ +(?P<name>\w+): (?P<value>.*)$", re.MULTILINE)
_RESTART = re.compile(r"^Trying to restart job (?P<jobid>\d+)\.", re.MULTILINE)

# What begins a line that tells why: of a script of this workflow, of Slurm, of PBS.
_WHY = re.compile(r"ERROR |slurmstepd.*?: error: |=>> PBS: ")
_TAIL = 1 << 16


@dataclass(frozen=True)
class Stopped:
    """A job that failed for good.

    Attributes:
        rule: the name of its rule.
        log: where the workflow's script logs.
        output: where the scheduler puts what the job prints; None where there is no scheduler, or it put nothing.
        on_cluster: whether a scheduler ran it.
    """

    rule: str
    log: Path
    output: Path | None
    on_cluster: bool

    def __str__(self) -> str:
        place = self.output or self.log
        words = last_words(place)
        said = f' (there: "{words}")' if words else ""
        remedy = job.AGAIN
        if self.on_cluster:
            remedy += (
                "; if it was stopped for want of time or memory, with more of it, such as "
                f"--set-resources {self.rule}:runtime=480 {self.rule}:{job.MORE_MEMORY}"
            )
        else:
            remedy += f"; if memory was short, {job.FEWER_CORES}"
        return f"{place}: a job of {self.rule} was stopped, or killed, before it could say why{said}. {remedy}."


def without_a_word(snakemake_log: str) -> list[Stopped]:
    """The jobs that failed for good in a run, and left no cause.

    Args:
        snakemake_log: the content of Snakemake's own log of that run.
    """
    failed: dict[str, Stopped] = {}
    for event in sorted([*_FAILURE.finditer(snakemake_log), *_RESTART.finditer(snakemake_log)], key=re.Match.start):
        if event.re is _RESTART:
            failed.pop(event["jobid"], None)
            continue
        fields = {field["name"]: field["value"] for field in _FIELD.finditer(event["fields"])}
        log, *more = re.sub(r" \(check log file.*", "", fields.get("log", "")).split(", ")
        outputs = [Path(path) for path in (*more, f"{log}.pbs") if os.path.exists(path)]
        failed[fields["jobid"]] = Stopped(
            event["rule"], Path(log), outputs[0] if outputs else None, "external_jobid" in fields
        )
    return [it for it in failed.values() if not job.cause(it.log)]


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
