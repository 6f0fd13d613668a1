"""Every stage of the workflow on a disk that is full, out of inodes, over its quota, read-only or broken.

The results lie on a small file system of their own, in a name space that ends with this program. Snakemake makes them
once, and what it starts for each job is kept. Then a stage's outputs are taken away, and its job is started again with
room for a part of what it writes, then for more and more of it, then for all. A failed job has to say so in one line
and to leave nothing under a final name but what it makes undisturbed, and with room enough the next one has to make
all the rest. Errors that no file system gives at will come from a library that is loaded into the job
(`faulty_disk.c`). Run it as `python tests/faults/disk.py --points 10`: it prints its figures,
and exits with 1 after a fault.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from faults.stages import STAGES, Stage  # noqa: E402
from imagenet_prep.products import registry  # noqa: E402
from imagenet_prep.products.partials import remove_partials  # noqa: E402
from project import SMALL, Project, environment, merged  # noqa: E402

PRODUCTS = [name for name in registry.PRODUCTS if name != "labels"]  # which most others bring along
OWN_FILE_SYSTEM = ("unshare", "--map-root-user", "--mount")
# Read by every Python that finds it on its path: keeps what Snakemake starts for a job.
KEEPER = """
import os, shutil, sys
script = next((word for word in sys.orig_argv if ".snakemake/scripts/" in word), None)
if script:
    shutil.copy(script, {folder!r})
"""
# What a receipt says of the time of a folder, and of the page's file of times.
_TIMES = re.compile(rb'"changed": ?\d+|"report/run\.js": ?{[^}]*}')
ROOM = 256 << 20
INODES = 100_000

# What happens to the disk, and the words of the line that tells it.
FULL = {"full disk": "No space left on device. Make room", "no inodes": "No space left on device. Make room"}
INJECTED = {
    "quota": (errno.EDQUOT, "write", "Disk quota exceeded. Your quota is full"),
    "read-only": (errno.EROFS, "write", "Read-only file system. That file system is read-only"),
    "write error": (errno.EIO, "write", "Input/output error. The disk could not read or write"),
    "read error": (errno.EIO, "read", "Input/output error. The disk could not read or write"),
}


@dataclass
class Figures:
    """What came of one stage.

    Attributes:
        runs: how often it was run on a bad disk.
        failed: how many of these runs failed, as they had to.
        longest: seconds of the longest.
        faults: what was not as it should be; none if all is well.
    """

    runs: int = 0
    failed: int = 0
    longest: float = 0.0
    faults: list[str] = field(default_factory=list)


class Disk:
    """A project whose results lie on a file system of their own, with all that these stages need and make."""

    def __init__(self, folder: Path, stages: Iterable[str]) -> None:
        (folder / "project").mkdir()
        self.project = Project(folder / "project", merged(SMALL, {"products": PRODUCTS}))
        self._scripts = folder / "scripts"
        self._scripts.mkdir()
        keeper = self.project.folder / "workflow" / "sitecustomize.py"
        keeper.write_text(KEEPER.format(folder=str(self._scripts)))
        self._library = folder / "faulty_disk.so"
        source = Path(__file__).with_name("faulty_disk.c")
        compiler = shutil.which("cc")
        if compiler:
            subprocess.run([compiler, "-shared", "-fPIC", "-o", self._library, source, "-ldl"], check=True)
        results = self.project.results
        results.mkdir()
        _mount("tmpfs", results, f"size={ROOM},nr_inodes={INODES}")
        self.project.succeed(*{STAGES[name].target for name in stages})
        self._kept = folder / "kept"
        shutil.copytree(results, self._kept, symlinks=True)
        self.right: dict[str, str] = {}

    @property
    def can_inject(self) -> bool:
        """Whether there is a compiler, for the library of errors."""
        return self._library.exists()

    def attack(self, name: str, points: int) -> Figures:
        """Run a stage on every kind of bad disk, on a full one so often, on the others a third of that."""
        stage, figures = STAGES[name], Figures()
        _replace(self.project.results, self._kept)
        self._script = self._script_of(name, stage)
        self.right = {name: digest for name, digest in self._files().items() if not _matches(name, stage.voids)}
        nbytes, blocks, inodes = self._cost(stage)
        few = max(1, points // 3)
        for point in range(points):
            self._run_full(stage, figures, "full disk", blocks * point // points, INODES, fresh=not point)
        self._finish(figures, "full disk")
        for point in range(min(few, inodes)):
            self._run_full(stage, figures, "no inodes", ROOM, inodes * point // few, fresh=not point)
        self._finish(figures, "no inodes")
        for kind, (number, on, _) in INJECTED.items():
            if not self.can_inject or (on == "read" and not stage.archive):
                continue
            for point in range(few):
                if not point:
                    self._take_away(stage)
                self._run(figures, kind, self._injected(number, on, nbytes * point // few))
            self._finish(figures, kind)
        return figures

    def _script_of(self, name: str, stage: Stage) -> Path:
        """What Snakemake started for the job that makes the receipt."""
        (receipt,) = self.project.results.glob(stage.receipt)
        output = str(receipt.relative_to(self.project.folder)).encode()
        logs = (f"logs/{name}/".encode(), f"logs/{name}.log".encode())  # some rules share a script

        def is_it(text: bytes) -> bool:
            return output in text and any(log in text for log in logs)

        (script,) = (path for path in self._scripts.glob(f"*.{stage.script or name}.py") if is_it(path.read_bytes()))
        return script

    def _start(self, variables: dict[str, str]) -> tuple[int, str]:
        """Run the job to its end; its exit code and what it prints."""
        done = subprocess.run(
            [sys.executable, self._script],
            cwd=self.project.folder,
            env={**environment(), "PYTHONPATH": str(self.project.folder / "workflow"), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def _take_away(self, stage: Stage) -> None:
        """The finished project, less what the stage makes and takes away."""
        _resize(self.project.results, ROOM, INODES)
        _replace(self.project.results, self._kept)
        for pattern in (stage.receipt, *stage.made, *stage.voids):
            for path in self.project.results.glob(pattern):
                _remove(path)

    def _cost(self, stage: Stage) -> tuple[int, int, int]:
        """Bytes in the files that the stage makes, and what it takes of the file system in bytes and inodes."""
        results = self.project.results
        self._take_away(stage)
        before, there = os.statvfs(results), self._files()
        code, terminal = self._start({})
        assert code == 0, terminal
        after = os.statvfs(results)
        nbytes = sum((results / name).stat().st_size for name in self._files().keys() - there.keys())
        return nbytes, (before.f_bfree - after.f_bfree) * before.f_frsize, before.f_ffree - after.f_ffree

    def _run_full(self, stage: Stage, figures: Figures, kind: str, room: int, inodes: int, *, fresh: bool) -> None:
        results = self.project.results
        if fresh:
            self._take_away(stage)
            status = os.statvfs(results)
            self._used = (status.f_blocks - status.f_bfree) * status.f_frsize, status.f_files - status.f_ffree
        _resize(results, self._used[0] + room, self._used[1] + inodes)
        self._run(figures, kind, {})

    def _injected(self, number: int, on: str, after: int) -> dict[str, str]:
        folder = self.project.results if on == "write" else self.project.archives
        return {
            "LD_PRELOAD": str(self._library),
            "FAULT_FOLDER": f"{folder}/",
            "FAULT_ERRNO": str(number),
            "FAULT_ON": on,
            "FAULT_AFTER": str(after),
        }

    def _run(self, figures: Figures, kind: str, variables: dict[str, str]) -> None:
        figures.runs += 1
        began = time.monotonic()
        code, terminal = self._start(variables)
        figures.longest = max(figures.longest, time.monotonic() - began)
        if code:
            figures.failed += 1
            figures.faults += [f"{kind}: {fault}" for fault in self._faults_of(terminal, kind)]
        figures.faults += [f"{kind}: {fault}" for fault in self._false_files(kind)]

    def _faults_of(self, terminal: str, kind: str) -> Iterator[str]:
        words = FULL.get(kind) or INJECTED[kind][2]
        place = self.project.archives if kind == "read error" else self.project.results
        last = terminal.splitlines()[-1] if terminal.strip() else ""
        if not last.startswith("ERROR ") or words not in last or place.name not in last:
            yield f"no clear end: {terminal[-1500:]}"
        if "Traceback" in terminal:
            yield f"a traceback: {terminal[-3000:]}"

    def _false_files(self, kind: str) -> Iterator[str]:
        for name, digest in self._files().items():
            if name.endswith(".partial") or "/.partial/" in name:
                if kind != "read-only":  # on which nothing can be taken away
                    yield f"left half-made: {name}"
            elif name not in self.right:
                yield f"stray: {name}"
            elif self.right[name] != digest and not name.startswith("state/made/"):
                yield f"different: {name}"

    def _finish(self, figures: Figures, kind: str) -> None:
        """The next run, on a good disk, has to make what is missing."""
        _resize(self.project.results, ROOM, INODES)
        remove_partials(self.project.results)  # as a run does before its first job
        code, terminal = self._start({})
        if code:
            figures.faults.append(f"{kind}: the next run failed: {terminal[-1500:]}")
        made = self._files()
        for name in sorted(made.keys() | self.right.keys()):
            if made.get(name) != self.right.get(name):
                figures.faults.append(f"{kind}: after the next run {name} is missing, stray or different")

    def _files(self) -> dict[str, str]:
        """SHA-256 of all files in the results but logs and times; of receipts without what they say of times."""
        results, times = self.project.results, self.project.results / "report" / "run.js"
        return {
            path.relative_to(results).as_posix(): hashlib.sha256(_TIMES.sub(b"", path.read_bytes())).hexdigest()
            for path in sorted(results.rglob("*"))
            if path.is_file() and path.relative_to(results).parts[0] not in ("logs", "benchmarks") and path != times
        }


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _mount(kind: str, place: Path, options: str) -> None:
    subprocess.run(["mount", "-t", kind, "-o", options, kind, place], check=True)


def _resize(place: Path, nbytes: int, inodes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={max(nbytes, 4096)},nr_inodes={inodes}", place], check=True)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _replace(folder: Path, kept: Path) -> None:
    for path in folder.iterdir():
        _remove(path)
    shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)


def main() -> None:
    """Attack every stage, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10, help="of every stage on a full disk")
    parser.add_argument("--stage", action="append", choices=STAGES, help="these alone")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        os.execvp(OWN_FILE_SYSTEM[0], [*OWN_FILE_SYSTEM, sys.executable, *sys.argv, "--inside"])
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        stages = arguments.stage or list(STAGES)
        disk = Disk(Path(folder), stages)
        if not disk.can_inject:
            print("There is no C compiler: no quotas, no read-only disk, no errors of the disk itself")
        print(f"{'stage':26} {'runs':>5} {'failed':>7} {'faults':>7} {'longest':>9}")
        for name in stages:
            figures = disk.attack(name, arguments.points)
            faults += len(figures.faults)
            counts = f"{figures.runs:5} {figures.failed:7} {len(figures.faults):7}"
            print(f"{name:26} {counts} {figures.longest:7.1f} s", flush=True)
            for fault in figures.faults:
                print(f"FAULT {name}: {fault}", flush=True)
        # Lazily, since on a busy machine something may look into it still; the name space ends in a moment anyway.
        subprocess.run(["umount", "--lazy", disk.project.results], check=True)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
