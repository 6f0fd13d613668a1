"""The power cut at random moments of the workflow, on a file system that forgets all that was not brought to the disk.

Run it as root, as `python tests/faults/power.py --cuts 30`: it prints its figures, and exits with 1 where the runs
after the cuts do not end with the products of an undisturbed one. The file system is an ext4 in a file, with a journal
that is written every second; ext4 itself plays the power cut (its "shutdown", made for such tests). All of it lies in
a name space that ends with this program: in one that others copy, a file system lives on after its unmounting.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from faults.kills import afresh, differences, duration_of, undisturbed  # noqa: E402
from project import SMALL, Project, merged  # noqa: E402

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, as in fs/ext4/ext4.h
CONFIG = merged(SMALL, {"synthetic": {"train_images_per_class": 30, "max_side": 128}})
CUTS_OF_A_PROJECT = 3
_WITHOUT_JOURNAL = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the disk now is lost


class Disk:
    """A file system in a file, for as long as the block lasts.

    Attributes:
        mount: where its files are seen.
    """

    def __init__(self, folder: Path, megabytes: int = 512) -> None:
        self._image = folder / "disk.ext4"
        self.mount = folder / "disk"
        self.mount.mkdir()
        with self._image.open("wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True, capture_output=True)

    def __enter__(self) -> Disk:
        self._attach()
        return self

    def __exit__(self, *_: object) -> None:
        self._detach()

    def cut_power(self) -> None:
        """Forget what is not on the disk; whoever writes there now fails."""
        assert self.mount.is_mount(), "else the power of the machine's own disk would be cut"
        descriptor = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_JOURNAL)
        finally:
            os.close(descriptor)

    def restore_power(self) -> None:
        """Show what is on the disk; nobody may use the file system any more."""
        self._detach()
        self._attach()

    def _detach(self) -> None:
        for _ in range(300):  # processes that were killed may take a moment to let go of it
            if not subprocess.run(["umount", self.mount], check=False, capture_output=True).returncode:
                return
            time.sleep(0.1)
        subprocess.run(["umount", self.mount], check=True)

    def _attach(self) -> None:
        subprocess.run(["mount", "-o", "loop,commit=1", self._image, self.mount], check=True)


def impossible() -> str | None:
    """Why there can be no such file system here; None if there can."""
    if os.geteuid():
        return "only root may mount a file system"
    missing = [name for name in ("mkfs.ext4", "unshare") if not shutil.which(name)]
    if missing:
        return f"there is no {' and no '.join(missing)} (Debian: e2fsprogs, util-linux)"
    return None if Path("/dev/loop-control").exists() else "there are no loop devices"


@dataclass
class Figures:
    """What came of it.

    Attributes:
        cuts: how often the power went before the end of a run.
        finished: how often the workflow was finished after cuts, and compared.
        faults: what was not as it should be; none if all is well.
    """

    cuts: int = 0
    finished: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.cuts} power cuts; finished and compared {self.finished} times; faults: {len(self.faults)}"]
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


def attack(folder: Path, undisturbed: Project, cuts: int, seed: int) -> Figures:
    """Cut the power so often, each time a few times while one project is made."""
    chance, figures = random.Random(seed), Figures()
    products, duration = undisturbed.products(), duration_of(undisturbed)
    with Disk(folder) as disk:
        while figures.cuts < cuts:
            made = disk.mount / f"after-{figures.cuts}"
            made.mkdir()
            afresh(undisturbed, made)
            os.sync()
            for _ in range(min(CUTS_OF_A_PROJECT, cuts - figures.cuts)):
                figures.cuts += _cut_one(disk, Project(made), chance.uniform(0.5, duration))
            _finish(Project(made), products, figures)
            shutil.rmtree(made)
    return figures


def _cut_one(disk: Disk, project: Project, seconds: float) -> bool:
    """Run the project, and cut the power after some seconds; return whether it was running still."""
    started = project.start()
    try:
        started.end(seconds)
        return False
    except subprocess.TimeoutExpired:
        disk.cut_power()
        return True
    finally:
        if started.runs:
            started.kill()
            disk.restore_power()
            project.run("--unlock")


def _finish(project: Project, products: dict[str, str], figures: Figures) -> None:
    """Run it to its end, and hold what it made against the undisturbed products."""
    run = project.run()
    if run.code:
        figures.faults.append(f"the run after the cut failed:\n{run.terminal[-3000:]}")
        return
    figures.finished += 1
    figures.faults += differences(project.products(), products)
    if not project.run().nothing_done:
        figures.faults.append("a finished run was not finished for the next one")


def main() -> None:
    """Cut, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", type=Path, help="the folder of a finished project, in place of one that is made")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    reason = impossible()
    if reason:
        sys.exit(reason)
    if not arguments.inside:
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv, "--inside"])
    with tempfile.TemporaryDirectory() as folder:
        whole = Project(arguments.against) if arguments.against else undisturbed(Path(folder, "undisturbed"), CONFIG)
        figures = attack(Path(folder), whole, arguments.cuts, arguments.seed)
    print(figures)
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
