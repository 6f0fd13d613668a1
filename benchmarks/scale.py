"""The whole workflow on as many images as the real set has, tiny ones, and on half as many: what an image costs.

Writes the figures as JSON. The times of jobs come from Snakemake's benchmark files, memory from /proc.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
from collections import defaultdict
from operator import truediv
from pathlib import Path
from typing import Any

import machine
import measure
import tables
from make_archives import full_cardinality
from workbench import HERE, NESTED_TAR, Project, remove

SHARES = (1.0, 0.5)


def main() -> None:
    """Measure each share of the real number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "work", help="where it all happens (about 15 GB)")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "scale.json")
    parser.add_argument("--share", type=float, action="append", help="of the real number of images (default 1 and 0.5)")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    found: dict[str, Any] = {"machine": machine.describe(arguments.folder), "runs": []}
    for share in arguments.share or SHARES:
        found["runs"].append(measure_share(arguments.folder / f"scale-{share:g}", share, rounds=arguments.rounds))
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    print(tables.scale(found), flush=True)


def measure_share(
    folder: Path, share: float, configuration: dict[str, Any] | None = None, rounds: int = 2
) -> dict[str, Any]:
    """All figures of one share.

    In each round everything runs once, the workflow beside what it is held against; the figures are medians.

    Args:
        folder: where to work; archives that lie there from an earlier run are used again.
        share: of the real number of images.
        configuration: laid over the workflow's own.
        rounds: how often.
    """
    shape = full_cardinality(share)
    images = sum(shape.counts.values()) + shape.validation
    shards = {"train_shards": min(1024, images // 100), "validation_shards": min(128, shape.validation // 50)}
    project = Project(folder, shape, {"classes": None, "tfrecord": shards, **(configuration or {})})
    archive, unpacked = str(project.archive("train")), folder / "unpacked"
    measured: dict[str, list[measure.Cost]] = defaultdict(list)
    for _ in range(rounds):
        project.forget()
        remove(unpacked)
        unpacked.mkdir()
        measured["md5sum"].append(measure.run(["md5sum", archive], folder))
        measured["nested_tar"].append(measure.run([*NESTED_TAR, archive], unpacked))
        remove(unpacked)
        measured["planning"].append(project.run("--dry-run", "--quiet", "all"))
        measured["whole"].append(project.run())
        measured["nothing"].append(project.run())
    cost = {name: measure.median(costs) for name, costs in measured.items()}
    walls = {name: [it.wall for it in measured[name]] for name in ("whole", "nested_tar")}
    rules = rule_costs(project.results / "benchmarks")
    return {
        "images": images,
        "train_images": sum(shape.counts.values()),
        **shards,
        "jobs": sum(rule["jobs"] for rule in rules.values()),
        "planning": cost["planning"],
        "whole": cost["whole"],
        "user_us_per_image": round(1e6 * cost["whole"]["user_s"] / images, 1),
        "system_us_per_image": round(1e6 * cost["whole"]["system_s"] / images, 1),
        "nothing_to_do_s": cost["nothing"]["wall_s"],
        "nested_tar": cost["nested_tar"],
        "md5sum": cost["md5sum"],
        "wall_of_nested_tar": round(statistics.median(map(truediv, walls["whole"], walls["nested_tar"])), 2),
        "rules": rules,
    }


def rule_costs(folder: Path) -> dict[str, dict[str, Any]]:
    """By rule: number of jobs, seconds of all of them and of the longest, and the memory of the largest in MB."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        with path.open() as file:
            found[path.relative_to(folder).parts[0].removesuffix(".tsv")] += csv.DictReader(file, delimiter="\t")
    return {
        rule: {
            "jobs": len(rows),
            "wall_s": round(sum(_number(row["s"]) for row in rows), 2),
            "longest_s": round(max(_number(row["s"]) for row in rows), 2),
            "cpu_s": round(sum(_number(row["cpu_time"]) for row in rows), 2),
            "peak_mb": round(max(_number(row["max_uss"]) for row in rows), 1),
        }
        for rule, rows in found.items()
    }


def _number(text: str) -> float:
    """A figure of Snakemake's; none where the job ended before it was looked at."""
    try:
        return float(text)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    main()
