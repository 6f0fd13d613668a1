"""What a command costs: wall, user and system time, memory, bytes written and system calls, of it and all it starts."""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVERY = 0.05
_ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)
_TOTAL_CALLS = re.compile(r"^100\.00\s+\S+\s+\S*\s*?(\d+)\s+(?:\d+\s+)?total$", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """The cost of one run.

    Attributes:
        wall: seconds from start to end.
        user: seconds of processor time in user mode.
        system: seconds in the kernel, which on shared machines vary most.
        peak_process: bytes of anonymous memory of the largest process; the page cache does not count.
        peak_tree: the same of all its processes together.
        written: bytes handed to write calls (`wchar` of /proc/<pid>/io).
        output: what it printed.
    """

    wall: float
    user: float
    system: float
    peak_process: int
    peak_tree: int
    written: int
    output: str

    def as_json(self) -> dict[str, Any]:
        """The figures, rounded to what they are worth."""
        return {
            "wall_s": round(self.wall, 3),
            "user_s": round(self.user, 3),
            "system_s": round(self.system, 3),
            "peak_process_mb": round(self.peak_process / 1e6, 1),
            "peak_tree_mb": round(self.peak_tree / 1e6, 1),
            "written_mb": round(self.written / 1e6, 1),
        }


class Failed(Exception):
    """A command that ended with another code than 0; the text is what it printed last."""


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and measure it.

    Raises:
        Failed: it did not end with 0.
    """
    with tempfile.TemporaryFile() as output:
        written = _own_written()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        sampler = _Sampler(process.pid)
        sampler.start()
        code = process.wait()
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        sampler.stop()
        written = _own_written() - written
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if code:
        raise Failed(f"{' '.join(command)} ended with {code}:\n" + "\n".join(printed.splitlines()[-25:]))
    return Cost(
        wall,
        after.ru_utime - before.ru_utime,
        after.ru_stime - before.ru_stime,
        sampler.process,
        sampler.tree,
        written,
        printed,
    )


def system_calls(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> int | None:
    """How many system calls a command makes, with all that it starts; None where strace is missing or not allowed."""
    if not shutil.which("strace"):
        return None
    with tempfile.NamedTemporaryFile("r") as table:
        try:
            run(["strace", "-f", "-c", "-o", table.name, *command], cwd, environment)
        except Failed:
            return None
        found = _TOTAL_CALLS.search(table.read())
    return int(found[1]) if found else None


def median(costs: Sequence[Cost]) -> dict[str, Any]:
    """The medians of several runs, and the spread of the wall time: its least and its largest value."""
    figures = [cost.as_json() for cost in costs]
    middle = {name: round(statistics.median(it[name] for it in figures), 3) for name in figures[0]}
    walls = [it["wall_s"] for it in figures]
    users = [it["user_s"] for it in figures]
    return {**middle, "wall_spread_s": [min(walls), max(walls)], "user_spread_s": [min(users), max(users)]}


def _own_written() -> int:
    """Bytes written by this process and all those that it has waited for."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["wchar"])


class _Sampler:
    """Looks at the memory of a process and all below it, twenty times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.process = 0
        self.tree = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            sizes = [_anonymous(pid) for pid in _descendants(self._pid)]
            self.process = max([self.process, *sizes])
            self.tree = max(self.tree, sum(sizes))


def _descendants(pid: int) -> list[int]:
    """The process and all below it; those that end meanwhile are left out."""
    found, waiting = [], [pid]
    while waiting:
        at = waiting.pop()
        found.append(at)
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                waiting += [int(child) for child in Path(f"/proc/{at}/task/{task}/children").read_text().split()]
        except OSError:
            continue
    return found


def _anonymous(pid: int) -> int:
    try:
        found = _ANONYMOUS.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
