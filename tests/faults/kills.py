"""The workflow killed at random moments and started again until it is done, over and over.

Run it as `python tests/faults/kills.py --kills 100`: it prints its figures, and exits with 1 where a product differs
from the undisturbed run's, a stray file lies in the results, or a run that was asked to end did not end cleanly.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from project import SMALL, Project, Run, Started, merged  # noqa: E402

CONFIG = merged(SMALL, {"synthetic": {"train_images_per_class": 30, "max_side": 128}})

WAYS = ("all killed", "a job killed", "SIGTERM", "SIGTERM to all", "Ctrl-C")
"""How a run is ended: by SIGKILL, to all its processes or to one of its jobs; or asked to: Snakemake alone, as `kill`
does, or all processes, as batch systems (SIGTERM) and terminals (Ctrl-C) do."""

BEGUN = "Job stats:"
"""What Snakemake prints before it makes anything."""

HANGS = 300.0
"""Seconds after which a run that was asked to end is taken for one that never will."""


@dataclass
class Figures:
    """What came of it.

    Attributes:
        kills: by way, how often a run was hit before its end.
        finished: how often the workflow was finished, and compared.
        longest_end: by way, seconds that a run took to end after it was asked to.
        faults: what was not as it should be; none if all is well.
    """

    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    longest_end: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ways = ", ".join(f"{way} {self.kills[way]}" for way in WAYS)
        lines = [f"{self.kills.total()} runs ended early ({ways}); finished and compared {self.finished} times"]
        ends = ", ".join(f"{way} {seconds:.1f} s" for way, seconds in self.longest_end.items())
        lines.append(f"longest end of a run that was asked to: {ends or 'none was'}; faults: {len(self.faults)}")
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


# What a killed run noted of itself stays where nothing is left to do: Snakemake then only reads.
NOTE = "results/state/run.json"


class Killer:
    """Runs a project again and again, and ends the runs early.

    Args:
        project: of which nothing is made yet.
        undisturbed: the same, made by a run that nobody ended early.
    """

    def __init__(self, project: Project, undisturbed: Project, seed: int) -> None:
        self.project = project
        self.duration = self.left = duration_of(undisturbed)
        self.files, self.products = files(undisturbed), undisturbed.products()
        self.chance = random.Random(seed)
        self.figures = Figures()

    def run(self, kills: int) -> Figures:
        """End so many runs, in all ways in turns, then finish and compare."""
        while self.figures.kills.total() < kills:
            self._end_one(WAYS[self.figures.kills.total() % len(WAYS)])
        self._finish()
        return self.figures

    def _end_one(self, way: str) -> None:
        run = self.project.start()
        seconds, started = self.chance.uniform(0.3, self.left), time.monotonic()
        ended = self._wait(run, seconds)
        ended_by_itself = ended is not None
        if ended_by_itself and self.left == self.duration:  # it began anew: the machine is faster now
            self.duration = time.monotonic() - started
        self.left = max(self.left - seconds, self.duration / 4)  # a new run has to start, however little it has to do
        if ended is None and way == "a job killed":
            ended = self._kill_a_job(run)
        elif ended is None:
            ended = self._signal(run, way)
        if ended is None:  # there was no job left to kill; the run went on to its end
            ended, ended_by_itself = run.end(), True
        if ended_by_itself and ended.code:
            self.figures.faults.append(f"a run that nobody ended failed:\n{ended.terminal[-3000:]}")
        # While Snakemake still loads itself, Python tells of Ctrl-C in its own way.
        if "Traceback" in ended.terminal and BEGUN in ended.terminal:
            self.figures.faults.append(f"{way}: a traceback on the terminal:\n{ended.terminal[-1500:]}")
        locked = any((self.project.folder / ".snakemake" / "locks").glob("*"))
        if locked and way != "all killed":
            self.figures.faults.append(f"{way}: the folder is still locked:\n{ended.terminal[-1500:]}")
        if ended.code == 0:
            self._compare(ended)
        elif locked and self.project.run("--unlock").code:
            self.figures.faults.append(f"{way}: the folder could not be unlocked")

    @staticmethod
    def _wait(run: Started, seconds: float) -> Run | None:
        """The end of the run, if it comes so soon."""
        try:
            return run.end(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _signal(self, run: Started, way: str) -> Run:
        started = time.monotonic()
        if way == "SIGTERM":
            run.process.terminate()
        else:
            run.signal({"all killed": signal.SIGKILL, "SIGTERM to all": signal.SIGTERM, "Ctrl-C": signal.SIGINT}[way])
        self.figures.kills[way] += 1
        ended = self._wait(run, HANGS)
        if ended is None:
            self.figures.faults.append(f"{way}: still running after {HANGS:.0f} s")
            run.kill()
            ended = run.end()
        if way != "all killed":
            longest = self.figures.longest_end
            longest[way] = max(longest.get(way, 0.0), time.monotonic() - started)
            if ended.code == 0 and "Done: " not in ended.terminal:
                self.figures.faults.append(f"{way}: exit code 0 of a run that was not finished")
        return ended

    def _kill_a_job(self, run: Started) -> Run | None:
        """Kill one of the jobs; the run has to fail, and to say so in its last line."""
        while not (jobs := jobs_of(run.process.pid)):
            if self._wait(run, 0.05) is not None:
                return None
        try:
            os.kill(self.chance.choice(jobs), signal.SIGKILL)
        except ProcessLookupError:
            return None
        ended = run.end()
        if ended.code == 0:
            return ended  # it had done its work already
        self.figures.kills["a job killed"] += 1
        if not ended.last_line.startswith("ERROR "):
            self.figures.faults.append(f"a job killed: the last line is {ended.last_line!r}")
        return ended

    def _finish(self) -> None:
        run = self.project.run()
        if run.code:
            self.figures.faults.append(f"the run after the last one failed:\n{run.terminal[-1500:]}")
        else:
            self._compare(run)

    def _compare(self, run: Run) -> None:
        """Hold the results of a finished run against the undisturbed ones, and begin anew."""
        self.figures.finished += 1
        self.left = self.duration
        print(self.figures, flush=True)
        self.figures.faults += differences(self.project.products(), self.products)
        stray = files(self.project) - self.files - ({NOTE} if run.nothing_done else set())
        self.figures.faults += [f"stray, beside the products: {name}" for name in sorted(stray)]
        if not self.project.run().nothing_done:
            self.figures.faults.append("a finished run was not finished for the next one")
        shutil.rmtree(self.project.results)
        shutil.rmtree(self.project.folder / ".snakemake")
        if yaml.safe_load((self.project.folder / "test.yaml").read_text())["synthetic"]:
            shutil.rmtree(self.project.archives)


def differences(made: dict[str, str], expected: dict[str, str]) -> list[str]:
    """What is wrong with products, given by name and content, a line each."""
    lines = []
    for name in sorted(made.keys() | expected.keys()):
        if made.get(name) != expected.get(name):
            what = "missing" if name not in made else "stray" if name not in expected else "different"
            lines.append(f"{what} in the results: {name}")
    return lines


def files(project: Project) -> set[str]:
    """The paths of all files below the results and the archives, the workflow's own records and hidden ones too."""
    folders = (project.results, project.archives)
    return {str(path.relative_to(project.folder)) for folder in folders for path in folder.rglob("*")}


def jobs_of(pid: int) -> list[int]:
    """The processes that run scripts of the workflow, children of snakemake's however far."""
    children: dict[int, list[int]] = {}
    commands: dict[int, bytes] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                commands[int(entry.name)] = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            if b".snakemake/scripts/" in commands[child]:
                found.append(child)
    return found


def undisturbed(folder: Path, config: dict[str, object]) -> Project:
    """A project made by a run that nobody ended early."""
    folder.mkdir()
    project = Project(folder, config)
    project.succeed()
    return project


def duration_of(finished: Project) -> float:
    """About how many seconds it took to make a project: from when its folder was there to its last product."""
    made = [path.stat().st_mtime for path in (finished.folder / "test.yaml", finished.results / "audit.json")]
    return made[1] - made[0]


def afresh(project: Project, folder: Path) -> Project:
    """Another project with the same configuration, of which nothing is made, and archives if these are its own."""
    twin = project.twin(folder)
    if not yaml.safe_load((folder / "test.yaml").read_text())["synthetic"]:
        shutil.copytree(project.archives, twin.archives)
    return twin


def attack(folder: Path, undisturbed: Project, kills: int, seed: int) -> Figures:
    """End so many runs early, in a project of their own."""
    (folder / "killed").mkdir()
    return Killer(afresh(undisturbed, folder / "killed"), undisturbed, seed).run(kills)


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = attack(
            Path(folder), undisturbed(Path(folder, "undisturbed"), CONFIG), arguments.kills, arguments.seed
        )
    print(figures)
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
