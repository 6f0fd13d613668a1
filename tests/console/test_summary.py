"""The last lines of a run: as many as there is something to say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from console.runs import begun, done
from imagenet_prep.console import summary
from imagenet_prep.console.stages import Run
from imagenet_prep.formats import parquet
from imagenet_prep.products.labels import Labels
from imagenet_prep.progress import Count

LOG = ".snakemake/log/a.log"

SCORES: dict[str, Any] = {
    "model": "resnet",
    "predictions": "m.csv",
    "read_as": "text",
    "images": 50000,
    "validation_images": 50000,
    "partial": False,
    "top1": 0.7613,
    "top5": None,
    "real": None,
    "multilabel": {"accuracy": None, "images": 0},
    "imagenet_m": None,
    "warnings": [],
}


def config(**changes: Any) -> dict[str, Any]:
    return {"output_dir": "results", "publish": {"url": None}, "use": ["train", "val", "devkit"], **changes}


def test_a_run_that_made_no_product_says_how_long_it_took() -> None:
    text = summary.of_success(done(("check", "")), 61.0, config(), LOG)
    assert text == f"\nDone: 1 job in 1 min 1 s\nSnakemake's own log: {LOG}"


def test_each_product_is_told_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index = ["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"]
    for path in (*(f"labels/{name}" for name in Labels.file_names), *(f"tfrecord_index/{name}" for name in index)):
        Path("results", path).parent.mkdir(parents=True, exist_ok=True)
        Path("results", path).touch()
    resnet = SCORES | {"top5": 0.9286, "real": {"accuracy": 0.83, "images": 46837}}
    vit = SCORES | {"model": "vit", "images": 10, "partial": True, "warnings": ["Only 10 of 50 000 images"]}
    for scores in (resnet, vit):
        path = Path("results", "scores", f"{scores['model']}.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(scores))
    run = done(
        ("write_labels", ""),
        ("write_tfrecord_index", "train"),
        ("tabulate_multilabel", ""),
        ("score_predictions", "resnet"),
        ("score_predictions", "vit"),
        ("publish_products", ""),
    )
    text = summary.of_success(run, 9.0, config(publish={"url": "gs://bucket/imagenet"}), LOG)
    assert [" ".join(line.split()) for line in text.splitlines()[1:11]] == [
        "Done: 6 jobs in 9 s",
        "results/tfrecord_index 2 indexes of train, 1 indexes of validation",
        "results/tables multilabel.parquet",
        "results/labels classes in every numbering, the tree of synsets, validation labels",
        "results/scores/resnet.json top-1 76.13%, top-5 92.86%, ReaL 83.00%: 50 000 images",
        "results/scores/vit.json top-1 76.13%: 10 of 50 000 images",
        "gs://bucket/imagenet published",
        "resnet: m.csv was read as text",
        "vit: m.csv was read as text",
        "WARNING vit: Only 10 of 50 000 images",
    ]


def test_all_tables_stand_in_one_line_and_the_page_is_what_to_open(tmp_path: Path) -> None:
    parquet.write(pa.table({"usable": [True]}), tmp_path / "tables" / "bboxes.parquet")
    run = done(("tabulate_multilabel", ""), ("write_page", ""), ("tabulate_boxes", ""))
    text = summary.of_success(run, 9.0, config(output_dir=str(tmp_path)), LOG)
    assert text.splitlines()[2:5] == [
        f"  {tmp_path}/tables             bboxes.parquet, multilabel.parquet",
        f"  {tmp_path}/report/index.html",
        f"Next: open {tmp_path}/report/index.html in a browser. It has the code to read each product, too",
    ]


def there(folder: Path) -> dict[str, Any]:
    """A configuration and what earlier runs made by it: class folders of both splits, and their labels."""
    for path in ("train/n01440764", "train/n01443537", "val/n01440764"):
        (folder / "imagefolder" / path).mkdir(parents=True)
    columns = {"split": ["train"] * 3 + ["validation"], "length": [1000, 2000, 3000, 4000]}
    parquet.write(pa.table(columns), folder / "tables" / "images.parquet")
    kinds = {"imagefolder": {"val_dirs": "wnid"}, "classes": None, "subset_labels": "original"}
    return config(output_dir=str(folder), products=["imagefolder", "bboxes"], **kinds)


def test_a_product_that_an_earlier_run_began_is_told_as_a_whole(tmp_path: Path) -> None:
    text = summary.of_success(done(("write_imagefolder", "train")), 4.0, there(tmp_path), LOG)
    assert f"  {tmp_path}/imagefolder  4 images, 10 kB: train, validation\n" in text


def test_what_earlier_runs_made_is_told_where_the_audit_looked_at_it(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text('{"ok": true, "checks": []}')
    text = summary.of_success(done(("audit_products", "")), 4.0, there(tmp_path), LOG)
    assert "4 images, 10 kB: train, validation\n" in text
    assert f"  {tmp_path}/tables       bboxes.parquet\n" in text


def through(nbytes: int) -> Run:
    """A run of one job that went through 1000 images of so many bytes."""
    run = done(("write_imagefolder", "train"))
    for job in run.stages["write_imagefolder", "train"].jobs.values():
        job.count = Count("writing", "bytes", nbytes, nbytes, 1000, 1000)
    return run


def test_a_run_of_some_work_says_how_fast_it_was() -> None:
    text = summary.of_success(through(200_000_000), 4.0, config(), LOG)
    assert "\nSpeed: 1000 images of 200 MB, 250 images/s, 50 MB/s over the whole run\n" in text


def test_a_run_that_mostly_started_jobs_names_no_speed() -> None:
    assert "Speed" not in summary.of_success(through(3_000_000), 4.0, config(), LOG)


def test_a_failed_run_says_how_far_it_came() -> None:
    run = begun(("write_imagefolder", "train"), ("write_tfrecord", "train"), ("write_tfrecord_index", "train"))
    run.done = 1
    run.fail(1)
    text = summary.of_failure(run, 130.0, LOG)
    assert text == f"\n1 of 3 jobs done in 2 min 10 s, 1 failed. Snakemake's own log: {LOG}"
