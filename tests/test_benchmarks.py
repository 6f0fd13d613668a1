"""The benchmarks on next to nothing, so that they still run on the day when somebody wants figures."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.datasets.ilsvrc2012_classes import classes as real_classes
from project import Project

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
RESULTS = BENCHMARKS / "results"


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def module(name: str) -> Any:
    return importlib.import_module(name)


def images(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all files in a train archive, read with Python's own tarfile."""
    with tarfile.open(archive) as outer:
        for member in outer:
            inner = outer.extractfile(member)
            assert inner is not None
            with tarfile.open(fileobj=inner) as tar:
                for image in tar:
                    content = tar.extractfile(image)
                    assert content is not None
                    yield image.name, content.read()


def test_an_imagenet_like_set_has_the_bytes_asked_for_and_no_image_twice(tmp_path: Path) -> None:
    make = module("make_archives")
    make.make_archives(tmp_path, make.imagenet_like(6_000_000))
    found = dict(images(tmp_path / make.FILES["train"]))
    assert 4e6 < sum(map(len, found.values())) < 8e6
    assert len(set(found.values())) == len(found)
    assert all(image.startswith(b"\xff\xd8") and image.endswith(b"\xff\xd9") for image in found.values())


@pytest.mark.parametrize("nbytes", [0, 6_000_000, 1_500_000_000])
def test_the_classes_of_a_set_are_real_ones(nbytes: int) -> None:
    shape = module("make_archives").imagenet_like(nbytes)
    assert shape.counts.keys() <= {it.wnid for it in real_classes()}


def test_the_archives_of_a_set_are_of_the_real_classes_with_their_numbers(tmp_path: Path) -> None:
    make = module("make_archives")
    shape = make.imagenet_like(2_000_000)
    make.make_archives(tmp_path, shape)
    with tarfile.open(tmp_path / make.FILES["train"]) as tar:
        assert tar.getnames() == [f"{wnid}.tar" for wnid in sorted(shape.counts)]
    synsets = read_devkit(tmp_path / make.FILES["devkit"]).synsets.to_pylist()
    leaves = {row["wnid"]: (row["ilsvrc2012_id"], row["words"]) for row in synsets if not row["children"]}
    assert leaves == {it.wnid: (it.ilsvrc2012_id, it.words) for it in real_classes()}


def test_the_full_set_has_the_real_number_of_images_in_every_class() -> None:
    shape = module("make_archives").full_cardinality(1)
    counts = sorted(shape.counts.values())
    assert (len(counts), sum(counts), shape.validation) == (1000, 1281167, 50000)
    assert (counts[0], counts.count(1300), counts[-1]) == (732, 895, 1300)


@pytest.mark.parametrize("stage", ["start", "scan", "imagefolder", "records", "audit", "tfrecord"])
def test_a_stage_runs_by_itself(stage: str, project: Project) -> None:
    command = [sys.executable, str(BENCHMARKS / "stage.py"), stage, str(project.results), "2"]
    library = {**os.environ, "PYTHONPATH": str(BENCHMARKS.parent / "workflow")}
    run = subprocess.run(command, env=library, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    made = {path.name for path in (project.folder / "stage").iterdir()}
    assert {"scan": "scan.parquet", "imagefolder": "imagefolder", "records": "tfrecord", "tfrecord": "tfrecord"}.get(
        stage
    ) in {None, *made}


def test_a_run_is_measured_with_all_that_it_starts(tmp_path: Path) -> None:
    child = """
import time
held = bytearray(b"x") * 30_000_000
open("file", "wb").write(held)
while time.process_time() < 0.5:
    pass
"""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True); print('done')"
    cost = module("measure").run([sys.executable, "-c", parent], tmp_path)
    assert cost.output == "done\n"
    assert 0.5 <= cost.user + cost.system < 5
    assert 0.5 <= cost.wall < 60
    assert 30e6 < cost.peak_process < 60e6
    assert 30e6 <= cost.written < 31e6


def test_full_cardinality_is_measured(tmp_path: Path) -> None:
    scale = module("scale")
    small = {"use": ["train", "devkit"], "products": ["imagefolder", "audit"], "jobs": {"imagefolder_classes": 1000}}
    found = scale.measure_share(tmp_path, 0.001, small, rounds=1)
    assert found["images"] == found["train_images"] + 1000
    assert {"scan_archive", "write_imagefolder", "audit_products"} <= found["rules"].keys()
    table = module("tables").scale({"runs": [found]})
    assert f"| user µs an image (at most 100) | {found['user_us_per_image']} |" in table


def test_the_tables_of_the_page_are_those_of_the_results() -> None:
    tables = module("tables")
    assert tables.page() == tables.README.read_text(encoding="utf-8")


def test_the_results_have_the_targets_of_the_benchmark() -> None:
    bench = module("bench")
    result = json.loads((RESULTS / "bench.json").read_text())
    assert result["targets"] == bench.targets(result)
    assert "whole workflow" in bench.table(result)
    runs = json.loads((RESULTS / "scale.json").read_text())["runs"]
    assert runs[0]["train_images"] == 1281167
    assert "planning" in module("tables").scale({"runs": runs})
