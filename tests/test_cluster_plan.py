"""The extrapolation to a cluster: that it runs, and that its figures follow from its formula."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from math import ceil, inf
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
JOBS = {
    "scan_archive": 2,
    "parse_boxes": 2,
    "plan_shards": 2,
    "write_imagefolder": 54,
    "write_tfrecord": 72,
    "write_tfrecord_index": 9,
}

# Sizes of the two archives in MB, as published, and the number of their images.
TRAIN, VALIDATION = 147_897.477_12, 6_744.924_16
IMAGES = 1_331_167

# A second for 100 MB in every stage; 40 s for the tables of an audit.
BENCH: dict[str, Any] = {
    "archive_mb": 100,
    "shards_mb": 100,
    "costs": {
        name: {"wall_s": 1}
        for name in (
            *("verify + scan", "ImageFolder, 1 job"),
            *("TFRecords + indexes, 1 job", "audit of the shards, 1 job"),
        )
    },
}
SCALE: dict[str, Any] = {
    "rules": {
        "audit_products": {"wall_s": 40, "longest_s": 40},
        "parse_boxes": {"wall_s": 9, "longest_s": 8},
        "plan_shards": {"wall_s": 5, "longest_s": 3},
        "write_tfrecord_index": {"wall_s": 6, "longest_s": 1},
    }
}


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("cluster_plan")


def seconds(plan: Any, cluster: Any, storage: Any) -> list[float]:
    return [stage.seconds(cluster, storage) for stage in plan.stages(BENCH, SCALE, JOBS, cluster.cores)]


def test_with_storage_without_limits_the_processors_decide(plan: Any) -> None:
    both = TRAIN + VALIDATION
    assert seconds(plan, plan.Cluster(1, 1), plan.Storage(inf, inf, inf, inf)) == pytest.approx(
        [both / 100, 9 + 5, 2 * both / 100, 6, both / 100 + 40]
    )
    assert seconds(plan, plan.Cluster(8, 16), plan.Storage(inf, inf, inf, inf)) == pytest.approx(
        [
            TRAIN / 100 + VALIDATION / 100 / 64,
            11 + 3 / 128,
            both / 100 / 54 + (2 * both - both / 54) / 100 / 128,
            1 + 5 / 128,
            both / 100 / 8 + 40,
        ]
    )


def test_with_slow_storage_bytes_and_files_decide(plan: Any) -> None:
    both = TRAIN + VALIDATION
    slow = plan.Storage(node_rate=10, rate=40, node_files=inf, files=inf)
    one, eight = (seconds(plan, plan.Cluster(nodes, 16), slow) for nodes in (1, 8))
    assert (one[0], one[2], one[4]) == pytest.approx((both / 10, 4 * both / 10, 2 * both / 10))
    assert (eight[0], eight[2], eight[4]) == pytest.approx((both / 20, 4 * both / 40, 2 * both / 10))
    files = seconds(plan, plan.Cluster(8, 16), plan.Storage(inf, inf, 10, 40))
    assert (files[2], files[4]) == pytest.approx((IMAGES / 40, IMAGES / 10))


def test_every_stage_waits_for_the_scheduler(plan: Any) -> None:
    storage = plan.Storage(inf, inf, inf, inf)
    at_once, queued = (seconds(plan, plan.Cluster(8, 16, *wait), storage) for wait in ((), (8, 60)))
    assert queued == pytest.approx([it + 68 for it in at_once])


@pytest.mark.parametrize("nodes", [1, 2, 8])
def test_the_busiest_node_moves_its_jobs_share(plan: Any, nodes: int) -> None:
    cluster = plan.Cluster(nodes, 16)
    scan, _, write, _, audit = plan.stages(BENCH, SCALE, JOBS, cluster.cores)
    assert write.share_of_a_node(cluster) == ceil(126 / nodes) / 126
    assert audit.share_of_a_node(cluster) == 1
    assert scan.share_of_a_node(cluster) == pytest.approx(1 if nodes == 1 else TRAIN / (TRAIN + VALIDATION))


def test_it_prints_the_plan_with_its_assumptions() -> None:
    library = {"PYTHONPATH": str(BENCHMARKS.parent / "workflow")}
    command = [sys.executable, str(BENCHMARKS / "cluster_plan.py"), "--rate", "1234"]
    run = subprocess.run(command, env=library, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "An extrapolation, not a measurement: 155 GB, 1331167 images" in run.stdout
    (written,) = [line.split() for line in run.stdout.splitlines() if line.startswith("folders and shards")]
    assert written[4::4] == ["113", "113", str(ceil(113 / 8))]
    assert "1234 MB/s" in run.stdout
    scale = json.loads((BENCHMARKS / "results" / "scale.json").read_text())["runs"][0]
    assert scale["images"] == IMAGES
