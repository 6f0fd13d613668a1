"""What the benchmarks measure, on the demo: every way of reading and of writing has all images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import webdataset
from array_record.python.array_record_module import ArrayRecordReader

from project import CHECKOUT, Project

BENCHMARKS = CHECKOUT / "benchmarks"
sys.path.append(str(BENCHMARKS))

import epoch  # noqa: E402
import own_ways  # noqa: E402


def run(script: str, *arguments: str | Path) -> str:
    library = {**os.environ, "PYTHONPATH": str(CHECKOUT / "workflow")}
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, env=library, check=True, capture_output=True, text=True).stdout


def images(project: Project) -> int:
    return sum(1 for _ in (project.results / "imagefolder" / "train").glob("*/*"))


@pytest.mark.parametrize("way", [it for it in epoch.WAYS if "mounted" not in it])
def test_every_way_of_reading_reads_each_image_once(demo: Project, way: str) -> None:
    figures = json.loads(run("epoch.py", way, demo.results, "1", "shuffled", "bytes"))
    assert figures["images"] == images(demo)
    assert figures["first_images"] < figures["images"]
    assert 0 < figures["first_batch_s"] <= figures["last_batch_s"]


@pytest.mark.parametrize("way", own_ways.WAYS)
def test_every_own_way_of_a_format_writes_each_image_once(demo: Project, way: str, tmp_path: Path) -> None:
    run("own_ways.py", way, demo.results / "imagefolder" / "train", tmp_path / "own", "2")
    shards = sorted(map(str, (tmp_path / "own").glob("train-*")))
    if way == "webdataset":
        count = sum(1 for _ in webdataset.WebDataset(shards, shardshuffle=False))
    elif way == "parquet":
        count = sum(pq.ParquetFile(shard).metadata.num_rows for shard in shards)
    else:
        count = sum(ArrayRecordReader(shard).num_records() for shard in shards)
    assert count == images(demo)
