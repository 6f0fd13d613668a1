"""What the real ILSVRC2012 would cost on a cluster: jobs, seconds and bytes of each stage, beside what one node does.

An extrapolation from results/bench.json (seconds for a byte of images like ImageNet's) and results/scale.json (seconds
for as many images as there are) by the formula that is printed; nothing of it was measured at that size.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from workbench import CHECKOUT, HERE

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012

TRAIN = ILSVRC2012.archives["train"].size / 1e6  # MB
ALL = TRAIN + ILSVRC2012.archives["val"].size / 1e6
FILES = sum(ILSVRC2012.splits[split].images for split in ("train", "validation"))
AUDIT_THREADS = 8  # as profiles/slurm sets them

FORMULA = """\
seconds of a stage  = wait + max(processors, storage, files)
  wait              = 0 on one node; start + notice where a scheduler runs the jobs
  processors        = longest job + (all jobs - longest job) / slots, no schedule that leaves no slot idle takes longer
  slots             = nodes * (cores / threads of a job), rounded down within a node
  storage           = bytes / least of (nodes in use * rate of a node, rate of the file system)
  files             = files made or opened / least of (nodes in use * files/s of a node, files/s of the file system)
seconds of jobs     : scan, folders, shards and the audit's reading grow with the bytes from bench.json, one job alone;
                      all else is from scale.json, which has as many images
bytes               : each product has about the bytes of its archives; the audit reads every product once
archives            : are there already; stages run one after the other, in each its jobs side by side"""


@dataclass(frozen=True)
class Cluster:
    """What the jobs run on.

    Attributes:
        start: seconds from submitting a job to its first work, where a scheduler runs it.
        notice: seconds until snakemake sees that the last job of a stage has ended.
    """

    nodes: int
    cores: int
    start: float = 0.0
    notice: float = 0.0

    def __str__(self) -> str:
        return f"{self.nodes} node{'s' * (self.nodes > 1)} x {self.cores} cores"


# A job of Slurm was seen to start after 7 to 8 seconds, since Snakemake starts again in it. The plugin asks after 20
# seconds, then ever more rarely: after the minutes of a stage, about once a minute.
CLUSTERS = (Cluster(1, 2), Cluster(1, 16), Cluster(8, 16, start=8, notice=60))


@dataclass(frozen=True)
class Storage:
    """A file system that all nodes see: MB/s and files made or opened a second, of one node and of it all."""

    node_rate: float
    rate: float
    node_files: float
    files: float


@dataclass(frozen=True)
class Stage:
    """Jobs that run side by side.

    Attributes:
        jobs: how many.
        work: seconds of all of them, one after the other.
        longest: seconds of the longest.
        threads: cores that a job takes.
        read: MB read by all of them.
        written: MB written.
        files: files made or opened.
        largest_share: the part of the bytes that the largest job moves.
    """

    name: str
    jobs: int
    work: float
    longest: float
    threads: int = 1
    read: float = 0.0
    written: float = 0.0
    files: int = 0
    largest_share: float = 0.0

    def nodes(self, cluster: Cluster) -> int:
        """Nodes that have a job of it."""
        return min(cluster.nodes, self.jobs)

    def seconds(self, cluster: Cluster, storage: Storage) -> float:
        """How long it takes."""
        slots = cluster.nodes * max(1, cluster.cores // self.threads)
        processors = self.longest + (self.work - self.longest) / slots
        nodes = self.nodes(cluster)
        moving = (self.read + self.written) / min(nodes * storage.node_rate, storage.rate)
        opening = self.files / min(nodes * storage.node_files, storage.files)
        return cluster.start + cluster.notice + max(processors, moving, opening)

    def share_of_a_node(self, cluster: Cluster) -> float:
        """The part of the bytes that the busiest node moves."""
        return max(self.largest_share, ceil(self.jobs / self.nodes(cluster)) / self.jobs)


def count_jobs() -> dict[str, int]:
    """Jobs by rule of the shipped configuration, as a dry run counts them where nothing is made yet."""
    with tempfile.TemporaryDirectory() as folder:
        config = ["--configfile", str(CHECKOUT / "config" / "config.yaml")]
        command = ["--snakefile", str(CHECKOUT / "Snakefile"), "--directory", folder, *config, "--cores", "1", "-n"]
        run = subprocess.run(
            [sys.executable, "-m", "snakemake", *command], capture_output=True, text=True, check=True, cwd=CHECKOUT
        )
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", run.stdout + run.stderr, re.MULTILINE)}


def stages(bench: Mapping[str, Any], scale: Mapping[str, Any], jobs: Mapping[str, int], cores: int) -> list[Stage]:
    """The stages of the real set, in order.

    Args:
        bench: content of bench.json.
        scale: the run of scale.json with all images.
        jobs: by rule.
        cores: of a node, of which the audit takes some.
    """

    def a_byte(name: str, measured: str = "archive_mb") -> float:
        return float(bench["costs"][name]["wall_s"] / bench[measured])

    def small(*rules: str) -> tuple[int, float, float]:
        """Jobs, seconds of them all, and of a chain of the longest of each rule."""
        known = [rule for rule in rules if rule in scale["rules"]]
        walls, longest = ([scale["rules"][rule][figure] for rule in known] for figure in ("wall_s", "longest_s"))
        return sum(jobs.get(rule, 0) for rule in rules), sum(walls), sum(longest)

    scan, folder, shard = a_byte("verify + scan"), a_byte("ImageFolder, 1 job"), a_byte("TFRecords + indexes, 1 job")
    folders, shards = jobs["write_imagefolder"], jobs["write_tfrecord"]
    threads = min(AUDIT_THREADS, cores)
    reading = a_byte("audit of the shards, 1 job", "shards_mb") * ALL / threads
    audit = reading + scale["rules"]["audit_products"]["wall_s"]
    return [
        Stage(
            "scan of the archives",
            jobs["scan_archive"],
            scan * ALL,
            scan * TRAIN,
            threads=2,
            read=ALL,
            largest_share=TRAIN / ALL,
        ),
        Stage(
            "labels, boxes, tables, plan",
            *small("verify_archive", "parse_devkit", "write_labels", "label_images", "parse_boxes", "plan_shards"),
        ),
        Stage(
            "folders and shards",
            folders + shards,
            (folder + shard) * ALL,
            max(folder * ALL / folders, shard * ALL / shards),
            read=2 * ALL,
            written=2 * ALL,
            files=FILES,
        ),
        Stage("tfrecord_index", *small("write_tfrecord_index", "remove_leftovers")),
        Stage("audit", 1, audit, audit, threads=threads, read=2 * ALL, files=FILES),
    ]


def table(bench: Mapping[str, Any], scale: Mapping[str, Any], jobs: Mapping[str, int], storage: Storage) -> str:
    """The plan on each cluster, for a terminal: seconds; jobs, and GB read and written, of the busiest node."""
    lines = [
        " " * 28 + "".join(f"{cluster!s:>27}" for cluster in CLUSTERS),
        f"{'stage':28}" + f"{'s':>8}{'jobs':>5}{'read':>6}{'written':>8}" * len(CLUSTERS),
    ]
    plans = [stages(bench, scale, jobs, cluster.cores) for cluster in CLUSTERS]
    for row in zip(*plans, strict=True):
        cells = [_cells(stage, cluster, storage) for stage, cluster in zip(row, CLUSTERS, strict=True)]
        lines.append(f"{row[0].name:28}" + "".join(cells))
    totals = [
        sum(stage.seconds(cluster, storage) for stage in plan) for plan, cluster in zip(plans, CLUSTERS, strict=True)
    ]
    lines.append(f"{'all':28}" + "".join(f"{total:>8.0f} = {total / 60:.0f} minutes".ljust(27) for total in totals))
    return "\n".join(line.rstrip() for line in lines)


def _cells(stage: Stage, cluster: Cluster, storage: Storage) -> str:
    share = stage.share_of_a_node(cluster)
    of_a_node = ceil(stage.jobs / stage.nodes(cluster))
    read, written = share * stage.read / 1e3, share * stage.written / 1e3
    return f"{stage.seconds(cluster, storage):>8.0f}{of_a_node:>5}{read:>6.0f}{written:>8.0f}"


def main() -> None:
    """Print the table, and by what it was computed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of bench.json and scale.json")
    rates = {"node-rate": 1000, "rate": 4000, "node-files": 2000, "files": 8000}
    meaning = "assumed of the file system: MB/s, or files made or opened a second, of one node or of it all"
    for name, value in rates.items():
        parser.add_argument(f"--{name}", type=float, default=value, help=f"{meaning} (default {value})")
    arguments = parser.parse_args()
    bench, scale = (json.loads((arguments.results / name).read_text()) for name in ("bench.json", "scale.json"))
    storage = Storage(arguments.node_rate, arguments.rate, arguments.node_files, arguments.files)
    jobs = count_jobs()
    slurm = CLUSTERS[-1]
    machine = bench["machine"]
    print(f"An extrapolation, not a measurement: {ALL / 1e3:.0f} GB, {FILES} images, {jobs['total']} jobs in all.\n")
    print(table(bench, scale["runs"][0], jobs, storage))
    print("\nread, written: GB of the busiest node; jobs: of that node\n")
    print(f"{FORMULA}\n")
    print(f"rates measured on   : {machine['cores']} cores of {machine['processor']}, all in the page cache")
    print(f"storage assumed     : {storage.node_rate:g} MB/s and {storage.node_files:g} files/s of a node,")
    print(f"                      {storage.rate:g} MB/s and {storage.files:g} files/s of the file system")
    print(f"scheduler assumed   : start {slurm.start:g} s, notice {slurm.notice:g} s")


if __name__ == "__main__":
    main()
