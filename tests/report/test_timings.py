"""The times of stages, from Snakemake's benchmark files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagenet_prep.configuration import complete
from imagenet_prep.engine.step import ALL
from imagenet_prep.products.registry import PAGE, STEPS
from imagenet_prep.report.timings import followed, read_stages

DIGEST, OTHER = "0123456789", "abcdef0123"
RULES = {"write_tfrecord": "tfrecord", "scan_archive": "archives"}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def note(path: Path, seconds: str, ended: int, rss: str = "100.0") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{seconds}\t0:00:01\t{rss}\t0\t0\t0\t0\t0\t0\t1.0\n")
    os.utime(path, (ended, ended))


def job(
    folder: Path, rule: str, step: str, receipt: str, seconds: str = "3", ended: int = 100, rss: str = "100.0"
) -> None:
    """A job whose receipt lies there."""
    note(folder / rule / f"{receipt}.tsv", seconds, ended, rss)
    path = folder / "state" / step / f"{receipt}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_a_stage_sums_up_its_jobs_and_goes_through_the_bytes_of_what_they_are_about(tmp_path: Path) -> None:
    job(tmp_path, "scan_archive", "archives", f"train.{DIGEST}.1", "20.5", 1000, rss="300.5")
    job(tmp_path, "scan_archive", "archives", f"val.{DIGEST}.3", "4.5", 990, rss="200")
    note(tmp_path / "audit_products.tsv", "7", 2000)
    nbytes = {("scan_archive", "train"): 1000, ("scan_archive", "val"): 100, ("scan_archive", "test"): 9}
    scan, audit = read_stages(
        tmp_path, tmp_path / "state", {"audit_products": "audit", "scan_archive": "archives"}, ["train", "val"], nbytes
    )
    assert (scan.rule, scan.jobs, scan.seconds, scan.max_rss) == ("scan_archive", 2, 25, 300.5)
    assert (scan.nbytes, scan.began, scan.ended) == (1100, 979.5, 1000)
    assert (audit.rule, audit.jobs, audit.nbytes) == ("audit_products", 1, 0)


def test_jobs_of_which_nothing_lies_there_any_more_do_not_count(tmp_path: Path) -> None:
    job(tmp_path, "write_tfrecord", "tfrecord", f"train-00000-00001-of-00004.{DIGEST}.2")
    for gone in (f"train-00000-00001-of-00004.{DIGEST}.1", f"train-00000-00003-of-00008.{OTHER}.1"):
        note(tmp_path / "write_tfrecord" / f"{gone}.tsv", "3", 100)
    (found,) = read_stages(tmp_path, tmp_path / "state", RULES, ["train"], {})
    assert (found.rule, found.jobs) == ("write_tfrecord", 1)


def test_jobs_of_splits_and_archives_out_of_use_do_not_count(tmp_path: Path) -> None:
    job(tmp_path, "write_tfrecord", "tfrecord", f"validation-00000-00001-of-00002.{DIGEST}.1")
    job(tmp_path, "scan_archive", "archives", f"test.{DIGEST}.1")
    assert read_stages(tmp_path, tmp_path / "state", RULES, ["train"], {}) == []


def test_benchmarks_of_an_older_version_of_the_workflow_do_not_count(tmp_path: Path) -> None:
    note(tmp_path / "scan_archive" / "train.tsv", "3", 100)
    assert read_stages(tmp_path, tmp_path / "state", RULES, ["train"], {}) == []


@pytest.mark.parametrize("text", ["NA", "-", ""])
def test_what_could_not_be_measured_counts_as_nothing(text: str, tmp_path: Path) -> None:
    note(tmp_path / "parse_devkit.tsv", "0.1", 100, rss=text)
    (found,) = read_stages(tmp_path, tmp_path, {"parse_devkit": "devkit"}, [], {})
    assert found.max_rss == 0


def test_what_a_page_follows_from_is_all_that_is_configured_and_nothing_else() -> None:
    config = complete({"use": ["val", "devkit"], "products": ["tfrecord", "report"]}, Path())
    found = followed(STEPS, config, (PAGE.name, ALL))
    assert {subject for step, subject in found if step in ("tfrecord", "images")} == {"validation"}
    assert ("plan", "tfrecord-validation") in found
    assert not {"imagefolder", "boxes", "multilabel"} & {step for step, _ in found}
