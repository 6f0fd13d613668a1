"""How far the stages of a run are: the counts of all their jobs together, those that have not begun included."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_prep.progress import Count, Rate, read_report, shown_time


class State(enum.Enum):
    """Where a job is; what waits in the queue of a cluster runs, too."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    DONE = enum.auto()
    FAILED = enum.auto()


@dataclass
class Job:
    """A job of the run, known by the file that it logs to."""

    log: Path
    state: State = State.WAITING
    count: Count | None = None

    def look(self) -> None:
        """Read how far it is."""
        self.count = read_report(self.log) or self.count

    def finish(self) -> None:
        """Note that it has done all its work, whether the file with its last count can be seen here yet or not."""
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

    def number(self, *states: State) -> int:
        """How many of its jobs are in one of these states."""
        return sum(job.state in states for job in self.jobs.values())

    @property
    def seconds(self) -> float:
        """From its beginning to its end."""
        return (self.ended or 0.0) - (self.began or 0.0)

    @property
    def is_over(self) -> bool:
        """Whether all its jobs are done."""
        return self.number(State.DONE) == len(self.jobs)

    @property
    def count(self) -> Count | None:
        """All jobs together; those that have told nothing yet are taken to be as large as the others are on average."""
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
    """All stages of a run, in the order in which they are first heard of."""

    def __init__(self) -> None:
        self.stages: dict[tuple[str, str], Stage] = {}
        self._stage_of: dict[Path, Stage] = {}

    def expect(self, unfinished: Iterable[tuple[str, str, Path]], now: float) -> list[Stage]:
        """Take down the jobs that are still to be done: rule, subject and log of each; return the stages that are over.

        What the run has made so far can show that jobs which were expected are not needed, or that others are. And a
        quiet Snakemake does not tell of each job that it is done.
        """
        logs = set()
        for rule, subject, log in unfinished:
            logs.add(log)
            if log not in self._stage_of:
                stage = self.stages.setdefault((rule, subject), Stage(rule, subject))
                stage.jobs[log] = Job(log)
                self._stage_of[log] = stage
        over = []
        for log, stage in list(self._stage_of.items()):
            if log in logs:
                continue
            if stage.jobs[log].state is State.RUNNING:
                over.append(self.finish(log, now))
            elif stage.jobs[log].state is State.WAITING:
                del stage.jobs[log], self._stage_of[log]
                if not stage.jobs:
                    del self.stages[stage.rule, stage.subject]
        return [stage for stage in over if stage]

    def start(self, log: Path, now: float) -> None:
        """Note that a job has begun, perhaps again."""
        if stage := self._stage_of.get(log):
            stage.jobs[log] = Job(log, State.RUNNING)
            stage.began = now if stage.began is None else stage.began

    def finish(self, log: Path, now: float) -> Stage | None:
        """Note that a job is done; return its stage if that is over."""
        stage = self._stage_of.get(log)
        if stage is None:
            return None
        stage.jobs[log].finish()
        if not stage.is_over:
            return None
        stage.ended = now
        return stage

    def fail(self, log: Path) -> None:
        """Note that a job has failed."""
        if stage := self._stage_of.get(log):
            stage.jobs[log].state = State.FAILED

    def look(self, now: float) -> None:
        """Read how far the running jobs are."""
        for stage in self.running:
            stage.look(now)

    @property
    def running(self) -> list[Stage]:
        """The stages of which jobs run."""
        return [stage for stage in self.stages.values() if stage.number(State.RUNNING)]

    def number(self, *states: State) -> int:
        """How many jobs are in one of these states; all of them where none is given."""
        return sum(stage.number(*(states or State)) for stage in self.stages.values())
