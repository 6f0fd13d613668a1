"""Times the products in shards against the way that each format's own documentation tells, from class folders.

Every round runs everything once, one after the other; the figures are medians. User time is what can be relied on where
others use the machine: the ratios are those of the same rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench
import machine
import measure
from bench import Item
from make_archives import imagenet_like
from own_ways import IMAGES_A_SHARD, WAYS
from workbench import CHECKOUT, HERE, Project, remove

PRODUCTS = {"tfrecord": "TFRecords", "webdataset": "WebDataset", "parquet": "Parquet", "arrayrecord": "ArrayRecord"}
OWN = {
    "webdataset": "wds.TarWriter",
    "parquet": "Dataset.from_generator(…).to_parquet",
    "arrayrecord": "ArrayRecordWriter, with Examples",
    "arrayrecord_alone": "ArrayRecordWriter alone",
}

DURABLE = ", until it is on the disk"
"""As the workflow's jobs write: the own ways leave the bytes in memory, from which the system writes them later."""


def main() -> None:
    """Measure, print the tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "work", help="where it all happens")
    parser.add_argument("--bytes", type=float, default=1.5e9, help="size of the archives (default 1.5e9)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true", help="without the formats' own ways")
    parser.add_argument(
        "--python", type=os.path.abspath, default=bench.PYTHON, help="of the environment of the own ways"
    )
    parser.add_argument("--output", type=Path, default=HERE / "results" / "formats.json")
    arguments = parser.parse_args()
    if not arguments.no_peers and arguments.python == bench.PYTHON:
        bench.peers()  # makes their environment
    python = None if arguments.no_peers else arguments.python
    result = benchmark(arguments.folder.resolve(), int(arguments.bytes), arguments.rounds, python)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))


def benchmark(folder: Path, nbytes: int, rounds: int, python: str | None) -> dict[str, Any]:
    """All figures of a set of about so many bytes; `python` is that of the own ways, None to leave them out."""
    shape = imagenet_like(nbytes)
    images = sum(shape.counts.values())
    of = {name: {"train_shards": max(2, -(-images // IMAGES_A_SHARD.get(name, 1251)))} for name in PRODUCTS}
    project = Project(
        folder / "formats",
        shape,
        {"use": ["train", "devkit", "bbox_train"], "products": ["imagefolder", *PRODUCTS], **of},
    )
    project.run()
    items = _items(project, python)
    for _ in range(rounds):
        for item in items:
            item.prepare()
            item.costs.append(measure.run(item.command, item.folder, item.environment))
    remove(project.folder / "stage")
    remove(project.folder / "own")
    costs = {item.name: measure.median(item.costs) for item in items}
    of_rounds = {item.name: [{"wall_s": it.wall, "user_s": it.user} for it in item.costs] for item in items}
    found = {"machine": machine.describe(folder), "rounds": rounds, "images": images, "costs": costs}
    return {**found, "targets": targets(costs, of_rounds)}


def _items(project: Project, python: str | None) -> list[Item]:
    library = {"PYTHONPATH": str(CHECKOUT / "workflow")}
    items = []
    for jobs in (1, 2):
        for name, title in PRODUCTS.items():
            command = [sys.executable, str(HERE / "stage.py"), name, str(project.results), str(jobs)]
            shown = f"{title}, {jobs} job{'s' * (jobs > 1)}"
            items.append(Item(shown, command, project.folder, lambda: remove(project.folder / "stage"), library))
    for way in WAYS if python else ():
        script, output = [str(python), str(HERE / "own_ways.py"), way], project.folder / "own"
        done = subprocess.run([*script, "check"], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"Without {OWN[way]}: {done.stderr.strip().splitlines()[-1]}")
            continue
        command = [*script, str(project.results / "imagefolder" / "train"), str(output), "2"]
        for shown, how in ((OWN[way], []), (f"{OWN[way]}{DURABLE}", ["durable"])):
            items.append(Item(shown, [*command, *how], project.folder, lambda output=output: remove(output)))
    return items


def targets(costs: dict[str, Any], rounds: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """What was aimed at, and the median of the ratios of each round."""

    def ratio(one: str, other: str, figure: str) -> float:
        return statistics.median(a[figure] / b[figure] for a, b in zip(rounds[one], rounds[other], strict=True))

    rows = [
        (f"{title}: user CPU / that of the TFRecords", limit, ratio(f"{title}, 1 job", "TFRecords, 1 job", "user_s"))
        for title, limit in (("WebDataset", 1.3), ("Parquet", 1.6))
    ]
    for title, way, limit in (
        ("WebDataset", "webdataset", 0.25),
        ("Parquet", "parquet", 0.25),
        ("ArrayRecord", "arrayrecord", 0.25),
        ("ArrayRecord", "arrayrecord_alone", 1.1),
    ):
        for own in (OWN[way], f"{OWN[way]}{DURABLE}"):
            if own in rounds:
                rows.append(
                    (f"{title}, 2 jobs: wall / {own}, 2 workers", limit, ratio(f"{title}, 2 jobs", own, "wall_s"))
                )
    rows += [
        (f"{title}, 1 job: MB of memory", 400.0, costs[f"{title}, 1 job"]["peak_tree_mb"])
        for title in PRODUCTS.values()
    ]
    return [
        {"what": what, "at_most": limit, "measured": round(value, 3), "met": value <= limit}
        for what, limit, value in rows
    ]


def table(result: dict[str, Any]) -> str:
    """The figures and the targets, as Markdown."""
    rows = ["| what | wall s | least … largest | user s | system s | MB of memory | MB written |", "|---" * 7 + "|"]
    for name, it in result["costs"].items():
        least, largest = it["wall_spread_s"]
        rows.append(
            f"| {name} | {it['wall_s']:.2f} | {least:.2f} … {largest:.2f} | {it['user_s']:.2f} | {it['system_s']:.2f} "
            f"| {it['peak_tree_mb']:.0f} | {it['written_mb']:.0f} |"
        )
    rows += ["", "| what | at most | measured | |", "|---|---|---|---|"]
    for it in result["targets"]:
        rows.append(f"| {it['what']} | {it['at_most']:.2f} | {it['measured']:.2f} | {'' if it['met'] else 'missed'} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
