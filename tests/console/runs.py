"""Runs as Snakemake tells of them, for tests of what is shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from imagenet_prep.console.stages import Job, Run


def jobs_of(rule: str, logs: Iterable[Path], subject: str = "train") -> list[Job]:
    """The jobs of one stage, which log there."""
    return [Job(rule, subject, log) for log in logs]


def begun(*stages: tuple[str, str]) -> Run:
    """A run of stages of one job each, numbered from 0 on, which all have begun."""
    jobs = [Job(rule, subject, Path(f"{rule}{subject}.log")) for rule, subject in stages]
    run = Run(jobs, len(jobs))
    for number, job in enumerate(jobs):
        run.start(number, job, 0.0)
    return run


def done(*stages: tuple[str, str]) -> Run:
    """The same run when its jobs are done."""
    run = begun(*stages)
    for number in range(len(stages)):
        run.finish(number, 1.0)
        run.done += 1
    return run
