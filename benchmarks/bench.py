"""Times the workflow and its stages against `cp`, `md5sum`, `tar` and other people's programs, on the same archives.

Every round runs everything once, one after the other, so that a slow minute of the machine hits all alike; the figures
are medians. User time is stable; wall and system time are worth what their spread says.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import machine
import measure
from idle import IdleProject
from make_archives import BYTES_AN_IMAGE, Shape, imagenet_like
from workbench import CHECKOUT, HERE, NESTED_TAR, Project, remove

ENVIRONMENT = HERE / ".venv"
PYTHON = str(ENVIRONMENT / "bin" / "python")
TORCHVISION = "torchvision==0.28.0"
PEERS = {"tfds": "TFDS from the archives", "torchvision": "torchvision's unpacking"}
STAGES = {
    "start": "start of a stage, doing nothing",
    "scan": "verify + scan",
    "imagefolder": "ImageFolder",
    "records": "TFRecords + indexes",
    "audit": "audit of the shards",
}
ONE_JOB = ("start", "scan")
COUNTED = (
    "nested tar xf",
    "verify + scan",
    "ImageFolder, 1 job",
    "TFRecords + indexes, 1 job",
    "audit of the shards, 1 job",
)


@dataclass
class Item:
    """One thing that is measured.

    Attributes:
        name: as the tables show it.
        command: what is run.
        folder: where.
        prepare: called before each run, and not measured.
        environment: variables added to one's own.
        costs: of all rounds.
    """

    name: str
    command: list[str]
    folder: Path
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    costs: list[measure.Cost] = field(default_factory=list)


def main() -> None:
    """Measure, print the tables and write JSON and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "work", help="where it all happens")
    parser.add_argument("--bytes", type=float, default=1.5e9, help="size of the archives (default 1.5e9)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true", help="no TFDS, torchvision and TensorFlow")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "bench.json")
    arguments = parser.parse_args()
    result = benchmark(arguments.folder.resolve(), int(arguments.bytes), arguments.rounds, not arguments.no_peers)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))
    if not arguments.no_peers and Path(PYTHON).exists():
        picture = arguments.output.with_suffix(".svg")
        subprocess.run([PYTHON, str(HERE / "picture.py"), str(arguments.output), str(picture)], check=True)


def benchmark(folder: Path, nbytes: int, rounds: int, with_peers: bool) -> dict[str, Any]:
    """All figures of a set of about so many bytes."""
    project = project_like(folder / "bench", nbytes)
    fixed = project_like(folder / "bench-fixed", max(nbytes // 100, 40 * BYTES_AN_IMAGE), like=nbytes)
    project.forget()
    project.run()  # the stages alone need what it leaves; the first run of all also fills the page cache
    idle = IdleProject(folder / "bench-idle", project)
    items = _items(project, fixed, idle, peers() if with_peers else [])
    for _ in range(rounds):
        for item in items:
            item.prepare()
            item.costs.append(measure.run(item.command, item.folder, item.environment))
    costs = {item.name: measure.median(item.costs) for item in items}
    images = _images(project.results)
    shards = sum(path.stat().st_size for path in (project.results / "tfrecord").glob("train-*"))
    calls = _calls_an_image(items, project, images)
    result = {
        "machine": machine.describe(folder),
        "rounds": rounds,
        "archive_mb": round(project.archive("train").stat().st_size / 1e6, 1),
        "shards_mb": round(shards / 1e6, 1),
        "train_images": images,
        "jobs": idle.jobs,
        "costs": costs,
        "calls_per_image": calls,
    }
    remove(project.folder / "copy")
    remove(project.folder / "unpacked")
    remove(project.folder / "stage")
    return {**result, "targets": targets(result)}


def project_like(folder: Path, nbytes: int, like: int | None = None) -> Project:
    """A project with shards of the real size.

    Args:
        like: cut into classes and shards as a set of this size.
    """
    shape, model = imagenet_like(nbytes), imagenet_like(like or nbytes)
    if like:
        images = sum(shape.counts.values())
        counts = dict.fromkeys(model.counts, max(1, images // len(model.counts)))
        shape = Shape(counts, len(counts), tiny=False)
    shards = max(2, round(sum(model.counts.values()) / 1251))
    return Project(folder, shape, {"tfrecord": {"train_shards": shards, "validation_shards": 2}})


def _items(project: Project, fixed: Project, idle: Project, found: list[str]) -> list[Item]:
    archive, work = str(project.archive("train")), project.folder
    unpacked, copy, stage = work / "unpacked", work / "copy", work / "stage"

    def clean(*folders: Path) -> Callable[[], None]:
        def prepare() -> None:
            for folder in folders:
                remove(folder)
                folder.mkdir()

        return prepare

    shards = sorted(str(path) for path in (project.results / "tfrecord").glob("train-*"))
    items = [
        Item("cp", ["cp", archive, str(copy)], work, clean(copy)),
        Item("md5sum", ["md5sum", archive], work),
        Item("md5sum of the shards", ["md5sum", *shards], work),
        Item("nested tar xf", [*NESTED_TAR, archive], unpacked, clean(unpacked)),
    ]
    count = "total = 0\nfor number in range(10**7): total += number * number"
    items.append(Item("Python counting to ten million", [sys.executable, "-c", count], work))
    library = {"PYTHONPATH": str(CHECKOUT / "workflow")}
    for name, title in STAGES.items():
        for jobs in (1,) if name in ONE_JOB else (1, 2):
            command = [sys.executable, str(HERE / "stage.py"), name, str(project.results), str(jobs)]
            shown = title if name in ONE_JOB else f"{title}, {jobs} job{'s' * (jobs > 1)}"
            items.append(Item(shown, command, work, clean(stage), library))
    # Behind the stages, which read what the last run of the whole workflow left.
    items.append(Item("whole workflow", project.command(), work, project.forget))
    items.append(Item("whole workflow, 1 % of the bytes", fixed.command(), fixed.folder, fixed.forget))
    items.append(Item("its jobs, doing nothing", idle.command(), idle.folder, idle.forget))
    items.append(Item("whole workflow, nothing to do", project.command(), work))
    made = work / "peer"
    for peer in found:
        command = [PYTHON, str(HERE / "peers.py"), peer, str(project.archives), str(made)]
        if peer == "writer_loop":
            command[3] = str(unpacked)
        items.append(Item(PEERS.get(peer, "TFRecordWriter in a loop"), command, work, clean(made)))
    return items


def _images(results: Path) -> int:
    audit = json.loads((results / "audit.json").read_text())
    return next(int(check["figures"]["images"]) for check in audit["checks"] if check["name"] == "images train")


def _calls_an_image(items: list[Item], project: Project, images: int) -> dict[str, float]:
    """System calls an image, those of starting the interpreter and its libraries taken off; none without strace."""
    found = {}
    start = next(item for item in items if item.name == "verify + scan")
    nothing = [*start.command[:2], "start", *start.command[3:]]
    least = measure.system_calls(nothing, start.folder, start.environment)
    for item in items:
        if item.name in COUNTED and least is not None:
            item.prepare()
            calls = measure.system_calls(item.command, item.folder, item.environment)
            if calls is not None:
                found[item.name] = round((calls - (least if sys.executable in item.command else 0)) / images, 2)
    return found


def peers() -> list[str]:
    """The peers that can be imported, in an environment of their own, which is made if it is not there."""
    wanted = (HERE / "requirements.txt").read_text()
    installed = ENVIRONMENT / "installed.txt"
    if not installed.is_file() or installed.read_text() != wanted:
        print(
            "Installing TensorFlow, TFDS, torchvision, DALI and others into benchmarks/.venv (once; some minutes)",
            flush=True,
        )
        pip = [PYTHON, "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
        for command in (
            [sys.executable, "-m", "venv", str(ENVIRONMENT)],
            [*pip, "-r", str(HERE / "requirements.txt")],
            [*pip, "--no-deps", TORCHVISION],  # it would bring another build of torch than the one that pip was told of
        ):
            if subprocess.run(command, check=False).returncode:
                print("No peers: that environment could not be made.")
                return []
        installed.write_text(wanted)
    found = []
    for peer in (*PEERS, "writer_loop"):
        check = [PYTHON, str(HERE / "peers.py"), peer, "check"]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"Without {peer}: {done.stderr.strip().splitlines()[-1]}")
        else:
            found.append(peer)
    return found


def targets(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, and what came of it; `measured` is a ratio, or calls an image."""
    costs = result["costs"]

    def cost(name: str, figure: str = "wall_s") -> float:
        return float(costs[name][figure])

    both = cost("md5sum") + cost("nested tar xf")
    whole = cost("whole workflow")
    rows = [
        ("verify + scan: wall / md5sum", 1.15, cost("verify + scan") / cost("md5sum")),
        (
            "TFRecords + indexes: user CPU / md5sum's",
            0.5,
            cost("TFRecords + indexes, 1 job", "user_s") / cost("md5sum", "user_s"),
        ),
        (
            "ImageFolder, 2 jobs: wall / nested tar xf",
            0.7,
            cost("ImageFolder, 2 jobs") / cost("nested tar xf"),
        ),
        (
            "ImageFolder: bytes written / nested tar xf",
            0.5,
            cost("ImageFolder, 1 job", "written_mb") / cost("nested tar xf", "written_mb"),
        ),
        ("whole workflow: wall / (md5sum + nested tar xf)", 1.6, whole / both),
        ("  1 % of the bytes: wall s", 6.0, cost("whole workflow, 1 % of the bytes")),
        ("  nothing to do: wall s", 1.2, cost("whole workflow, nothing to do")),
        (
            "  the part of it that grows with the data",
            1.2,
            (whole - cost("whole workflow, 1 % of the bytes")) / 0.99 / both,
        ),
        (
            "audit, 2 jobs: wall / md5sum of the shards",
            1.0,
            cost("audit of the shards, 2 jobs") / cost("md5sum of the shards"),
        ),
    ]
    if "TFDS from the archives" in costs:
        wall = cost("TFRecords + indexes, 2 jobs") / cost("TFDS from the archives")
        rows.insert(2, ("TFRecords + indexes, 2 jobs: wall / TFDS's", 1 / 6, wall))
    calls = result["calls_per_image"].get("ImageFolder, 1 job")
    if calls is not None:
        rows.append(("ImageFolder: system calls an image, its read too", 4.0, calls))
    return [
        {"what": what, "at_most": round(limit, 3), "measured": round(value, 3), "met": value <= limit}
        for what, limit, value in rows
    ]


def table(result: dict[str, Any]) -> str:
    """The figures and the targets, for a terminal."""
    md5sum = result["costs"]["md5sum"]
    lines = [
        f"{result['train_images']} training images, {result['archive_mb']:.0f} MB, {result['rounds']} rounds, medians",
        f"{'':36}{'wall s':>8}{'spread':>16}{'user s':>8}{'system s':>9}{'/ md5sum':>9}{'memory MB':>11}{'written':>9}",
    ]
    for name, it in result["costs"].items():
        spread = "{:.2f} … {:.2f}".format(*it["wall_spread_s"])
        lines.append(
            f"{name:36}{it['wall_s']:>8.2f}{spread:>16}{it['user_s']:>8.2f}{it['system_s']:>9.2f}"
            f"{it['wall_s'] / md5sum['wall_s']:>9.2f}{it['peak_tree_mb']:>11.0f}{it['written_mb']:>9.0f}"
        )
    lines += ["", "System calls an image: " + ", ".join(f"{k} {v}" for k, v in result["calls_per_image"].items())]
    lines += ["", f"{'':52}{'at most':>8}{'measured':>10}"]
    for row in result["targets"]:
        mark = "" if row["met"] else "  MISSED"
        lines.append(f"{row['what']:52}{row['at_most']:>8.2f}{row['measured']:>10.2f}{mark}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
