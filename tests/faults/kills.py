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

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from project import SMALL, Project, environment, merged  # noqa: E402

# How a run is ended: all its processes at once, one of its jobs, or asked to (which a terminal does to all of them).
WAYS = ("all killed", "a job killed", "SIGTERM", "Ctrl-C")
LONGEST_END = 20.0
"""Seconds in which a run that is asked to end should be gone; it waits for nothing but its jobs' own end."""


@dataclass
class Figures:
    """What came of it.

    Attributes:
        kills: by way, how often a run was hit before its end.
        finished: how often the workflow was finished, and compared.
        longest_end: seconds that a run took to end after it was asked to.
        faults: what was not as it should be; none if all is well.
    """

    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    longest_end: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ways = ", ".join(f"{way} {self.kills[way]}" for way in WAYS)
        lines = [f"{self.kills.total()} runs ended early ({ways}); finished and compared {self.finished} times"]
        lines.append(f"longest end of a run that was asked to: {self.longest_end:.1f} s; faults: {len(self.faults)}")
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


class Killer:
    """Runs a project again and again, and ends the runs early.

    Args:
        project: of which nothing is made yet.
        products: what an undisturbed run makes, by name.
        duration: seconds that it takes.
    """

    def __init__(self, project: Project, products: dict[str, str], duration: float, seed: int) -> None:
        self.project, self.products, self.duration = project, products, duration
        self.chance = random.Random(seed)
        self.figures = Figures()

    def run(self, kills: int) -> Figures:
        """End so many runs, then finish and compare."""
        while self.figures.kills.total() < kills:
            self._end_one(self.chance.choice(WAYS))
        self._finish()
        return self.figures

    def _end_one(self, way: str) -> None:
        process = subprocess.Popen(
            self.project.command(),
            cwd=self.project.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        moment = time.monotonic() + self.chance.uniform(0.3, self.duration)
        terminal = self._until(process, moment)
        if terminal is None and way == "a job killed":
            terminal = self._kill_a_job(process)
        elif terminal is None:
            terminal = self._signal(process, way)
        if terminal is None:  # there was no job to kill; the run went on to its end
            terminal, _ = process.communicate()
        if "Traceback" in terminal:
            self.figures.faults.append(f"{way}: a traceback on the terminal:\n{terminal[-1500:]}")
        if "unlock" in terminal.rpartition("LockException")[2]:
            self.figures.faults.append(f"{way}: the folder was still locked")
        if process.returncode == 0:
            self._compare()
        elif way == "all killed":
            self.project.run("--unlock")

    @staticmethod
    def _until(process: subprocess.Popen[str], moment: float) -> str | None:
        """What the run printed, if it ended before that moment."""
        try:
            terminal, _ = process.communicate(timeout=max(0.0, moment - time.monotonic()))
            return terminal
        except subprocess.TimeoutExpired:
            return None

    def _signal(self, process: subprocess.Popen[str], way: str) -> str:
        number = {"all killed": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT}[way]
        started = time.monotonic()
        if way == "SIGTERM":
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
        self.figures.kills[way] += 1
        try:
            terminal, _ = process.communicate(timeout=LONGEST_END)
        except subprocess.TimeoutExpired:
            self.figures.faults.append(f"{way}: still running after {LONGEST_END:.0f} s")
            os.killpg(process.pid, signal.SIGKILL)
            terminal, _ = process.communicate()
        if way != "all killed":
            self.figures.longest_end = max(self.figures.longest_end, time.monotonic() - started)
            if process.returncode == 0 and "100%" not in terminal:
                self.figures.faults.append(f"{way}: exit code 0 of a run that was not finished")
        return terminal

    def _kill_a_job(self, process: subprocess.Popen[str]) -> str | None:
        """Kill one of the jobs; the run has to fail, and to say so in its last line."""
        jobs = jobs_of(process.pid)
        if not jobs:
            return None
        try:
            os.kill(self.chance.choice(jobs), signal.SIGKILL)
        except ProcessLookupError:
            return None
        terminal, _ = process.communicate()
        if process.returncode == 0:
            return terminal  # it had done its work already
        self.figures.kills["a job killed"] += 1
        last = [line for line in terminal.splitlines() if line.strip()][-1]
        if not last.startswith("ERROR "):
            self.figures.faults.append(f"a job killed: the last line is {last!r}")
        return terminal

    def _finish(self) -> None:
        run = self.project.run()
        if run.code:
            self.figures.faults.append(f"the run after the last one failed:\n{run.terminal[-1500:]}")
        else:
            self._compare()

    def _compare(self) -> None:
        """Hold the finished results against the undisturbed ones, and begin anew."""
        self.figures.finished += 1
        made = self.project.products()
        for name in sorted(made.keys() | self.products.keys()):
            if made.get(name) != self.products.get(name):
                what = "missing" if name not in made else "stray" if name not in self.products else "different"
                self.figures.faults.append(f"{what} in the results: {name}")
        strays = [path for path in self.project.results.rglob("*") if path.name.endswith((".partial", ".part"))]
        self.figures.faults += [f"left half-made: {path}" for path in strays]
        if not self.project.run().nothing_done:
            self.figures.faults.append("a finished run was not finished for the next one")
        shutil.rmtree(self.project.results)
        shutil.rmtree(self.project.folder / ".snakemake")
        shutil.rmtree(self.project.archives)


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


def undisturbed(folder: Path, config: dict[str, object]) -> tuple[dict[str, str], float]:
    """What a run makes that nobody ends early, and how many seconds it takes."""
    folder.mkdir()
    project = Project(folder, config)
    started = time.monotonic()
    project.succeed()
    return project.products(), time.monotonic() - started


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    config = merged(SMALL, {"synthetic": {"train_images_per_class": 30, "max_side": 128}})
    with tempfile.TemporaryDirectory() as folder:
        products, duration = undisturbed(Path(folder, "undisturbed"), config)
        killed = Path(folder, "killed")
        killed.mkdir()
        killer = Killer(Project(killed, config), products, duration, arguments.seed)
        figures = killer.run(arguments.kills)
    print(figures)
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
