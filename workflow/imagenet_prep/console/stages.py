"""How far the stages of a run are: the counts of all their jobs, also of those that have not begun."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_prep.progress import Count, Rate, read_report, shown_time


class State(enum.Enum):
    """Where a job is; what waits in the queue of a cluster runs, too."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()
    INTERRUPTED = enum.auto()


# Wildcards that tell jobs of one subject apart, or belong to the name of a receipt.
_NO_SUBJECTS = ("batch", "change", "digest", "number")


@dataclass
class Job:
    """A job of the run, known by the file that it logs to.

    Attributes:
        rule: the name of its rule.
        subject: a split, an archive or another thing that the job is about; empty where its rule has but one.
        log: the file that it logs to.
        state: where it is.
        count: how far it is, as it last said; None before.
    """

    rule: str
    subject: str
    log: Path
    state: State = State.WAITING
    count: Count | None = None

    @classmethod
    def of(cls, rule: str, wildcards: Mapping[str, str], log: str) -> Job:
        """The job of a rule with these wildcards and this log."""
        subject = " ".join(value for name, value in wildcards.items() if name not in _NO_SUBJECTS)
        return cls(rule, subject, Path(log))

    def look(self) -> None:
        """Read how far it is."""
        self.count = read_report(self.log) or self.count

    def finish(self) -> None:
        """Note that it has done all its work; a network drive may not show the file with its last count here yet."""
        self.look()
        self.state = State.DONE
        if self.count and self.count.total:
            self.count.done = self.count.total
            self.count.images = self.count.all_images or self.count.images


@dataclass
class Stage:
    """The jobs of a rule on one subject.

    Attributes:
        rule: its name.
        subject: a split, an archive or another thing that the rule is about; empty where there is only one.
        jobs: by the file that each logs to.
        began: when the first of them did, in seconds of a clock; None before.
        ended: when the last one did; None before.
    """

    rule: str
    subject: str = ""
    jobs: dict[Path, Job] = field(default_factory=dict)
    began: float | None = None
    ended: float | None = None
    _rate: Rate | None = None

    @property
    def name(self) -> str:
        """The rule and the subject."""
        return f"{self.rule} {self.subject}".rstrip()

    def number(self, state: State) -> int:
        """How many of its jobs are in this state."""
        return sum(job.state is state for job in self.jobs.values())

    @property
    def seconds(self) -> float:
        """From its beginning to its end; 0 where that is not known."""
        return 0.0 if self.began is None or self.ended is None else self.ended - self.began

    @property
    def is_over(self) -> bool:
        """Whether all its jobs are done."""
        return self.number(State.DONE) == len(self.jobs)

    @property
    def count(self) -> Count | None:
        """The sum of all jobs; those that have said nothing yet count as the average of the others."""
        counts = [job.count for job in self.jobs.values() if job.count]
        if not counts:
            return None
        known = all(count.total for count in counts)
        scale = len(self.jobs) / len(counts)
        return Count(
            counts[-1].what,
            counts[-1].unit,
            sum(count.done for count in counts),
            round(scale * sum(count.total for count in counts)) if known else 0,
            sum(count.images for count in counts),
            round(scale * sum(count.all_images for count in counts)),
        )

    def look(self, now: float) -> None:
        """Read how far the running jobs are."""
        for job in self.jobs.values():
            if job.state is State.RUNNING:
                job.look()
        if count := self.count:
            if self._rate is None:
                self._rate = Rate(now, count.done)
            self._rate.note(now, count.done)

    def line(self, now: float) -> str:
        """How far it is, for people."""
        count = self.count
        if count and self._rate:
            what = f"{count.what}: " if len(self.jobs) == 1 and count.unit != "bytes" else ""
            return what + count.shown(self._rate.at(now, count.done))
        took = shown_time(now - (now if self.began is None else self.began))
        return took if len(self.jobs) == 1 else f"{self.number(State.DONE)} of {len(self.jobs)} jobs, {took}"


class Run:
    """All stages of a run, in the order in which they are first heard of.

    Args:
        jobs: those that are to be done and have a log; a checkpoint can add more later.
        total: how many jobs Snakemake is to do in all.

    Attributes:
        stages: by rule and subject.
        done: how many jobs are done, as Snakemake counts them.
        total: how many there are, as Snakemake counts them: what was made can show that some are not needed.
    """

    def __init__(self, jobs: Iterable[Job], total: int) -> None:
        self.stages: dict[tuple[str, str], Stage] = {}
        self.done = 0
        self.total = total
        self._stage_of: dict[Path, Stage] = {}
        self._running: dict[int, Path] = {}
        for job in jobs:
            self._expect(job)

    def _expect(self, job: Job) -> Stage:
        if job.log not in self._stage_of:
            stage = self.stages.setdefault((job.rule, job.subject), Stage(job.rule, job.subject))
            stage.jobs[job.log] = job
            self._stage_of[job.log] = stage
        return self._stage_of[job.log]

    def start(self, number: int, job: Job, now: float) -> None:
        """Note that a job has begun, perhaps again, to which Snakemake gave this number."""
        self._running[number] = job.log
        stage = self._expect(job)
        job.state = State.RUNNING
        stage.jobs[job.log] = job
        stage.began = now if stage.began is None else stage.began

    def finish(self, number: int, now: float) -> Stage | None:
        """Note that a job is done; return its stage if that is over."""
        log = self._running.pop(number, None)
        if log is None:
            return None
        stage = self._stage_of[log]
        stage.jobs[log].finish()
        if not stage.is_over:
            return None
        stage.ended = now
        return stage

    def fail(self, number: int) -> None:
        """Note that a job has failed."""
        if log := self._running.pop(number, None):
            self._stage_of[log].jobs[log].state = State.FAILED

    def interrupt(self, number: int | None = None) -> None:
        """Note that a running job was stopped by the user, or all that still run: none of them is at fault."""
        for it in [number] if number is not None else list(self._running):
            if log := self._running.pop(it, None):
                self._stage_of[log].jobs[log].state = State.INTERRUPTED

    def end(self, now: float) -> list[Stage]:
        """Note that all needed jobs are done; return the stages that were not known to be.

        With `--quiet progress`, Snakemake does not say that jobs begin or end: a job that reported a count was done.
        """
        for number in list(self._running):
            self.finish(number, now)
        over = []
        for stage in self.stages.values():
            for job in stage.jobs.values():
                job.look()
                if job.state is State.WAITING and job.count:
                    job.finish()
            stage.jobs = {log: job for log, job in stage.jobs.items() if job.state is State.DONE}
            if stage.jobs and stage.ended is None:
                stage.ended = now
                over.append(stage)
        self.done = self.total = max(self.total, self.done)
        return over

    def look(self, now: float) -> None:
        """Read how far the running jobs are."""
        for stage in self.running:
            stage.look(now)

    @property
    def running(self) -> list[Stage]:
        """The stages of which jobs run."""
        return [stage for stage in self.stages.values() if stage.number(State.RUNNING)]

    def number(self, state: State) -> int:
        """How many jobs are in this state."""
        return sum(stage.number(state) for stage in self.stages.values())
