"""Times an epoch of training images read in every way that people have: files, records, the archive as it is.

Every round runs everything once, one after the other, so that a slow minute of the machine hits all alike. What counts
are the ratios of one round; their medians are written down. Needs about twice the bytes of the archive beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench
import machine
import measure
import tables
from epoch import WAYS
from workbench import CHECKOUT, HERE, Project

FOLDERS, IMAGES, BLOCKS, CAT, MOUNTED = (
    "class folders",
    "Images",
    "Images, BlockShuffle",
    "cat of the archive",
    "class folders, mounted by ratarmount",
)
# What has to be made of the archive for each way, as targets; what is not here needs the tables alone.
MADE = {
    FOLDERS: ["imagefolder_train"],
    "TFRecords by tf.data": ["tfrecord_train"],
    "TFRecords by DALI": ["tfrecord_train", "tfrecord_index_train"],
    "archive by DALI": ["archive_index_train"],
    MOUNTED: ["archive_index_train"],
    IMAGES: ["results/tables/images.parquet"],
}
# (in memory or not, what is done with the images, workers); decoding in no worker is as fast as in one.
CASES = [
    (cache, what, workers)
    for cache in ("warm", "cold")
    for what, numbers in (("bytes", (0, 1, 2)), ("decoded", (1, 2)))
    for workers in numbers
]
Case = tuple[str, str, int]


def main() -> None:
    """Measure, print the tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "work", help="that of bench.py")
    parser.add_argument("--bytes", type=float, default=1.5e9, help="size of the archives (default 1.5e9)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--python", type=os.path.abspath, default=bench.PYTHON, help="of an environment that has the readers"
    )
    parser.add_argument("--output", type=Path, default=HERE / "results" / "reading.json")
    arguments = parser.parse_args()
    if arguments.python == bench.PYTHON:
        bench.peers()
    project = bench.project_like(arguments.folder.resolve() / "bench", int(arguments.bytes))
    result = measured(project, arguments.rounds, arguments.python, CASES)
    result["machine"] = machine.describe(arguments.folder)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(tables.reading(result))


def measured(
    project: Project, rounds: int, python: str, cases: list[Case], ways: list[str] | None = None
) -> dict[str, Any]:
    """All figures: by way what is made for it and how long that takes, and by case the epochs."""
    conversions = {}
    for way, targets in MADE.items():
        project.forget()
        conversions[way] = project.run(*targets).as_json()["wall_s"]
    project.run()
    epochs: dict[str, dict[str, list[dict[str, float]]]] = {}
    with _mounted(project, python) as is_mounted:
        found = [way for way in ways or WAYS if _is_there(way, python) and (way != MOUNTED or is_mounted)]
        for number in range(rounds):
            warm(project)  # the round before ended cold
            for case in cases:
                turn = found[number % len(found) :] + found[: number % len(found)]
                for way in turn:
                    if case[0] == "cold":
                        drop(project)
                    epochs.setdefault(name_of(case), {}).setdefault(way, []).append(_epoch(project, python, way, case))
    return {
        "rounds": rounds,
        "images": next(iter(epochs[name_of(cases[0])].values()))[0]["images"],
        "archive_mb": round(project.archive("train").stat().st_size / 1e6, 1),
        "conversion_s": conversions,
        "epochs": {case: {way: _middle(runs) for way, runs in of.items()} for case, of in epochs.items()},
        "ratios": _ratios(epochs),
    }


def name_of(case: Case) -> str:
    """A case in words."""
    cache, what, workers = case
    threads = f"{workers} worker{'s' * (workers > 1)}" if workers else "one thread"
    return f"{cache}, {what}, {threads}"


def _paths(project: Project) -> list[Path]:
    """All that is read."""
    return [project.archive("train"), *(path for path in project.results.rglob("*") if path.is_file())]


def warm(project: Project) -> None:
    """Bring all that is read into the page cache."""
    for path in _paths(project):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def drop(project: Project) -> None:
    """Take all that is read out of the page cache, and where one may the names and inodes, too."""
    for path in _paths(project):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with contextlib.suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("2\n")


def _epoch(project: Project, python: str, way: str, case: Case) -> dict[str, float]:
    _, what, workers = case
    command = [python, str(HERE / "epoch.py"), way, str(project.results), str(workers), "shuffled", what]
    cost = measure.run(command, project.folder, {"PYTHONPATH": str(CHECKOUT / "workflow")})
    figures: dict[str, float] = json.loads(cost.output.strip().splitlines()[-1])
    # What it takes until the first batch, such as listing folders, is a figure of its own and no part of the rate.
    seconds = figures["last_batch_s"] - figures["first_batch_s"]
    return {**figures, "images_per_s": round((figures["images"] - figures["first_images"]) / seconds, 1)}


def _middle(runs: list[dict[str, float]]) -> dict[str, float]:
    middle = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    rates = [run["images_per_s"] for run in runs]
    return {**middle, "least_per_s": min(rates), "most_per_s": max(rates)}


def _ratios(epochs: dict[str, dict[str, list[dict[str, float]]]]) -> dict[str, dict[str, float]]:
    """By case, medians of the rounds' ratios of images a second: the archive's ways over class folders' and `cat`'s."""
    found: dict[str, dict[str, float]] = {}
    for case, of in epochs.items():
        for above, below in ((IMAGES, FOLDERS), (BLOCKS, FOLDERS), (BLOCKS, CAT), (IMAGES, MOUNTED)):
            if above in of and below in of:
                pairs = zip(of[above], of[below], strict=True)
                ratio = statistics.median(one["images_per_s"] / other["images_per_s"] for one, other in pairs)
                found.setdefault(case, {})[f"{above} / {below}"] = round(ratio, 2)
    return found


def _is_there(way: str, python: str) -> bool:
    wanted = "tensorflow" if "tf.data" in way else "nvidia.dali" if "DALI" in way else "torch"
    done = subprocess.run([python, "-c", f"import {wanted}"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"Without {way}: {done.stderr.strip().splitlines()[-1]}")
    return not done.returncode


@contextlib.contextmanager
def _mounted(project: Project, python: str) -> Iterator[bool]:
    """Have ratarmount show the archive, where it is there and FUSE is."""
    program, place = Path(python).with_name("ratarmount"), project.folder / "mounted"
    if not program.exists() or not os.access("/dev/fuse", os.W_OK) or not shutil.which("fusermount3"):
        print(f"Without {MOUNTED}: it needs ratarmount, fusermount3 and /dev/fuse")
        yield False
        return
    place.mkdir(exist_ok=True)
    archive = project.archive("train")
    index = project.results / "archive_index" / "ratarmount" / f"{archive.name}.index.sqlite"
    command = [str(program), "--no-recreate-index", "--index-file", str(index), str(archive), str(place)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield True
    finally:
        subprocess.run([str(program), "-u", str(place)], check=True)


if __name__ == "__main__":
    main()
