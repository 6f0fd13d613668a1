"""The times of stages, from Snakemake's benchmark files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagenet_prep.report.stages import read_stages

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def note(path: Path, seconds: str, ended: int, rss: str = "100.0") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{seconds}\t0:00:01\t{rss}\t0\t0\t0\t0\t0\t0\t1.0\n")
    os.utime(path, (ended, ended))


def test_a_stage_sums_up_its_jobs_and_goes_through_the_bytes_of_what_they_are_about(tmp_path: Path) -> None:
    note(tmp_path / "scan_archive" / "train.tsv", "20.5", 1000, rss="300.5")
    note(tmp_path / "scan_archive" / "val.tsv", "4.5", 990, rss="200")
    note(tmp_path / "audit_products.tsv", "7", 2000)
    nbytes = {("scan_archive", "train"): 1000, ("scan_archive", "val"): 100, ("scan_archive", "test"): 9}
    scan, audit = read_stages(tmp_path, tmp_path, ["audit_products", "scan_archive"], ["train", "val"], nbytes)
    assert (scan.rule, scan.jobs, scan.seconds, scan.max_rss) == ("scan_archive", 2, 25, 300.5)
    assert (scan.nbytes, scan.began, scan.ended) == (1100, 979.5, 1000)
    assert (audit.rule, audit.jobs, audit.nbytes) == ("audit_products", 1, 0)


def test_jobs_of_which_nothing_lies_there_any_more_do_not_count(tmp_path: Path) -> None:
    for name in ("train-00000-00001-of-00004", "train-00000-00003-of-00008", "test-00000-00000-of-00001"):
        note(tmp_path / "write_shards" / f"{name}.tsv", "3", 100)
    note(tmp_path / "scan_archive" / "test.tsv", "3", 100)
    receipts = tmp_path / "state" / "tfrecord"
    receipts.mkdir(parents=True)
    (receipts / "train-00000-00001-of-00004.json").touch()
    (found,) = read_stages(tmp_path, tmp_path / "state", ["write_shards", "scan_archive"], ["train"], {})
    assert (found.rule, found.jobs) == ("write_shards", 1)


@pytest.mark.parametrize("text", ["NA", "-", ""])
def test_what_could_not_be_measured_counts_as_nothing(text: str, tmp_path: Path) -> None:
    note(tmp_path / "parse_devkit.tsv", "0.1", 100, rss=text)
    (found,) = read_stages(tmp_path, tmp_path, ["parse_devkit"], [], {})
    assert found.max_rss == 0
