"""Draws the bar chart of bench.json: `picture.py <json> <picture>`; needs matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib import pyplot as plt

OWN, START, BASIC, PEER = "#2166ac", "#92c5de", "#999999", "#d6604d"
BASICS = ("cp", "md5sum", "nested tar xf")
OWNS = (
    "verify + scan",
    "ImageFolder, 2 jobs",
    "TFRecords + indexes, 2 jobs",
    "audit of the shards, 2 jobs",
    "whole workflow",
)
PEERS = ("torchvision's unpacking", "TFDS from the archives", "TFRecordWriter in a loop")


def main(source: str, target: str) -> None:
    """Draw one bar a program."""
    result = json.loads(Path(source).read_text())
    groups = ((BASICS, BASIC), (OWNS, OWN), (PEERS, PEER))
    bars = [(name, color) for names, color in groups for name in names if name in result["costs"]]
    plt.rcParams |= {"svg.hashsalt": "imagenet-prep", "svg.fonttype": "none"}
    figure, axes = plt.subplots(figsize=(8, 0.36 * len(bars) + 1.2))
    for place, (name, color) in enumerate(bars):
        cost = result["costs"][name]
        least, most = cost["wall_spread_s"]
        error = [[cost["wall_s"] - least], [most - cost["wall_s"]]]
        axes.barh(place, cost["wall_s"], color=color, xerr=error, error_kw={"lw": 0.8})
        axes.text(most, place, f"  {cost['wall_s']:.1f} s", va="center", fontsize=9)
    fixed = result["costs"]["whole workflow, 1 % of the bytes"]["wall_s"]
    place = [name for name, _ in bars].index("whole workflow")
    axes.barh(place, fixed, color=START)
    axes.text(0.2, place, "start of Snakemake and its jobs", va="center", fontsize=9)
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    cores = result["machine"]["cores"]
    axes.set_xlabel(f"seconds for {result['archive_mb'] / 1000:.1f} GB of images on {cores} cores, median and spread")
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
