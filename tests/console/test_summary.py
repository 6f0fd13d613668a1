"""The last lines of a run: as many as there is something to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagenet_prep.console import summary
from imagenet_prep.console.stages import Run

LOG = ".snakemake/log/a.log"


def config(**changes: Any) -> dict[str, Any]:
    return {"output_dir": "results", "publish": {"url": None}, **changes}


def done(*stages: tuple[str, str]) -> Run:
    run = Run()
    run.expect([(rule, subject, Path(f"{rule}{subject}.log")) for rule, subject in stages], 0.0)
    for rule, subject in stages:
        run.start(Path(f"{rule}{subject}.log"), 0.0)
        run.finish(Path(f"{rule}{subject}.log"), 1.0)
    return run


def test_a_run_that_made_no_product_says_how_long_it_took() -> None:
    text = summary.of_success(done(("check", "")), 61.0, config(), LOG)
    assert text == f"\nDone: 1 job in 1 min 1 s\nSnakemake's own log: {LOG}"


def test_each_product_is_told_where_it_lies() -> None:
    run = done(("write_labels", ""), ("tabulate_multilabel", ""), ("publish_products", ""))
    text = summary.of_success(run, 9.0, config(publish={"url": "gs://bucket/imagenet"}), LOG)
    assert text.splitlines()[1:5] == [
        "Done: 3 jobs in 9 s",
        "  results/tables        multilabel.parquet",
        "  results/labels",
        "  gs://bucket/imagenet  published",
    ]


def test_a_failed_run_says_how_far_it_came() -> None:
    run = done(("write_folders", "train"))
    run.expect([("write_shards", "train", Path("a.log")), ("index_shards", "train", Path("b.log"))], 2.0)
    run.start(Path("a.log"), 2.0)
    run.fail(Path("a.log"))
    text = summary.of_failure(run, 130.0, LOG)
    assert text == f"\n1 of 3 jobs done in 2 min 10 s, 1 failed. Snakemake's own log: {LOG}"
