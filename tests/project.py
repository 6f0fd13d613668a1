"""A copy of the checkout in a folder of its own, in which tests run the workflow as a user would."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import warm

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = ("Snakefile", "workflow", "config", "profiles", "envs", "pyproject.toml", "README.md", "docs")

# Small enough for a run of seconds, large enough for every kind of trouble of the synthetic set.
SMALL: dict[str, Any] = {
    "output_dir": "results",
    "archives_dir": "archives",
    "predictions_dir": "predictions",
    "synthetic": {
        "seed": 7,
        "classes": 6,
        "train_images_per_class": 9,
        "val_images_per_class": 3,
        "test_images": 5,
        "train_t3_classes": 2,
        "train_t3_images_per_class": 3,
        "max_side": 240,
    },
    "tfrecord": {"train_shards": 4, "validation_shards": 2},
    "webdataset": {"train_shards": 4, "validation_shards": 2},
    "arrayrecord": {"train_shards": 4, "validation_shards": 2},
    "parquet": {"train_shards": 4, "validation_shards": 2, "test_shards": 2},
    "jobs": {
        "imagefolder_classes": 3,
        "imagefolder_val_classes": 6,
        "tfrecord_shards": 2,
        "index_shards": 4,
        "webdataset_shards": 2,
        "parquet_shards": 2,
        "arrayrecord_shards": 2,
    },
}

# The least that both splits, and more than one batch of class folders and of shards, are made of: half as many jobs.
LESS: dict[str, Any] = {"use": ["train", "val", "devkit"], "products": ["imagefolder", "tfrecord", "audit"]}

# Settings that change every shard and the class folders of one split, and nothing else.
OTHER: dict[str, Any] = {
    "tfrecord": {"label_base": 0, "train_shards": 3},
    "shards": {"seed": 99},
    "imagefolder": {"val_dirs": "index"},
}

# Seconds between two looks at a run; without them half of the machine would be for looking.
LOOKS = 0.002

# What has a folder of that name filled once for all the processes of a test run, and returns it.
Share = Callable[[str, Callable[[Path], None]], Path]


@dataclass(frozen=True)
class Run:
    """A finished call of snakemake.

    Attributes:
        code: its exit code.
        terminal: all that it printed, standard error and output as they came.
        log: what Snakemake wrote into its own log; nothing where it kept none.
    """

    code: int
    terminal: str
    log: str = ""

    @property
    def rules(self) -> set[str]:
        """The rules of which jobs finished."""
        return set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", self.log))

    @property
    def last_line(self) -> str:
        """The last line that says something."""
        return [line for line in self.terminal.splitlines() if line.strip()][-1]

    @property
    def nothing_done(self) -> bool:
        """Whether snakemake found nothing to do."""
        return self.code == 0 and "Nothing to be done" in self.terminal


class Started:
    """A snakemake that runs, in a session of its own, and what it prints."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: Path) -> None:
        self.process = process
        self.terminal = terminal

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def wait_for(self, seen: Callable[[], object]) -> None:
        """Wait until `seen()` is true, which has to be before its end."""
        while not seen():
            assert self.runs, self.terminal.read_text()
            time.sleep(LOOKS)

    def end(self, timeout: float | None = None) -> Run:
        """Wait for its end."""
        code = self.process.wait(timeout)
        return Run(code, self.terminal.read_text())

    def signal(self, number: int) -> None:
        """Signal it and all its jobs."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it and its jobs, if it runs, without asking."""
        if self.runs:
            self.signal(signal.SIGKILL)
            self.process.wait()


class Project:
    """A folder with the workflow, its own configuration, archives and results."""

    def __init__(self, folder: Path, config: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.archives = folder / "archives"
        if config is not None:
            for name in SOURCES:
                source = CHECKOUT / name
                if source.is_dir():
                    shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.egg-info"))
                else:
                    shutil.copy(source, folder / name)
            demo = yaml.safe_load((folder / "config" / "demo.yaml").read_text())
            self.write_config(merged(demo, config))

    def write_config(self, config: dict[str, Any]) -> None:
        """Set what is laid over config/config.yaml."""
        (self.folder / "test.yaml").write_text(yaml.safe_dump(config))

    def configure(self, changes: dict[str, Any]) -> None:
        """Change some keys of that."""
        self.write_config(merged(yaml.safe_load((self.folder / "test.yaml").read_text()), changes))

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """What a user would type."""
        overlay = ["--configfile", "config/config.yaml", "test.yaml"]
        return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments, *overlay]

    def run(self, *arguments: str, cores: int = 2, prefix: tuple[str, ...] = ()) -> Run:
        """Run snakemake to its end."""
        before = self.logs()
        command = self.command(*arguments, cores=cores)
        with tempfile.NamedTemporaryFile() as terminal:
            said = Path(terminal.name)
            if prefix:
                done = subprocess.run(
                    [*prefix, *command],
                    cwd=self.folder,
                    env=environment(),
                    stdout=terminal,
                    stderr=terminal,
                    check=False,
                )
                code = done.returncode
            else:
                python, _, _, *words = command
                code = warm.running(python).run(words, self.folder, environment(), said)
            return Run(code, said.read_text(), "".join(path.read_text() for path in self.logs() - before))

    def logs(self) -> set[Path]:
        """The logs that Snakemake has kept of runs."""
        return set((self.folder / ".snakemake" / "log").glob("*.log"))

    def succeed(self, *arguments: str, cores: int = 2) -> Run:
        """Run snakemake, which must exit with 0."""
        run = self.run(*arguments, cores=cores)
        assert run.code == 0, run.terminal
        return run

    def start(self, *arguments: str, prefix: tuple[str, ...] = ()) -> Started:
        """Start snakemake, and go on at once."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; runs would inherit it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        terminal = self.folder / "terminal.txt"
        command = self.command(*arguments)
        with terminal.open("w") as file:
            process = subprocess.Popen(
                [*prefix, *command],
                cwd=self.folder,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Started(process, terminal)

    def kill_when(self, seen: Callable[[], bool], *arguments: str) -> bool:
        """Start snakemake, kill it and its jobs (SIGKILL) as soon as `seen()`; return whether that came in time."""
        started = self.start(*arguments)
        try:
            while started.runs:
                if seen():
                    return True
                time.sleep(LOOKS)
            return False
        finally:
            started.kill()

    def twin(self, folder: Path) -> Project:
        """Another project with the same configuration, of which nothing is made."""
        project = Project(folder, {})
        shutil.copy(self.folder / "test.yaml", folder)
        return project

    def copy(self, folder: Path, *, clone: bool = True) -> Project:
        """The project as it stands, in another folder, times kept; half as many files where no run needs its clone."""
        own = set() if clone else {*SOURCES, ".snakemake"}

        def left_out(path: str, names: list[str]) -> set[str]:
            return own.intersection(names) if Path(path) == self.folder else set()

        shutil.copytree(self.folder, folder, symlinks=True, ignore=left_out, dirs_exist_ok=True)
        return Project(folder)

    def products(self) -> dict[str, str]:
        """SHA-256 of every product by its path; neither logs nor times of runs nor the workflow's own records."""
        own = {"logs", "benchmarks", "state"}
        times = self.results / "report" / "run.js"
        return {
            path.relative_to(self.results).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.results.rglob("*"))
            if path.is_file() and path.relative_to(self.results).parts[0] not in own and path != times
        }

    def times(self) -> dict[str, int]:
        """Modification time in ns of every product by its path."""
        own = {"logs", "benchmarks", "state", "archives", "verified"}
        return {
            path.relative_to(self.results).as_posix(): path.stat().st_mtime_ns
            for path in sorted(self.results.rglob("*"))
            if path.is_file() and path.relative_to(self.results).parts[0] not in own
        }


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, mappings key by key."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def environment() -> dict[str, str]:
    """The environment of a user: without what a test runner puts into it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONPATH"))}
