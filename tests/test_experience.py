"""What a run can tell those who could not make it: all figures, and no names."""

from __future__ import annotations

import getpass
import json
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from project import Project


def collected(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imagenet_prep.experience", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_has_the_figures_of_the_archives_the_audit_and_every_job(finished: Project) -> None:
    told = json.loads(collected(finished.results).stdout)
    audit = json.loads((finished.results / "audit.json").read_text())
    assert {it["name"]: it["figures"] for it in told["audit"]} == {it["name"]: it["figures"] for it in audit["checks"]}
    files = list((finished.results / "benchmarks").rglob("*.tsv"))
    assert len(told["jobs"]) == len(files) > 20
    seconds = [value for path in files for value in pd.read_csv(path, sep="\t")["s"]]
    assert sorted(job["s"] for job in told["jobs"]) == sorted(seconds)
    train = next(it for it in told["archives"] if it["name"] == "train")
    assert train["bytes"] == (finished.archives / "ILSVRC2012_img_train.tar").stat().st_size
    assert told["machine"]["cores"] >= 1 and told["packages"]["snakemake"]


def test_it_names_no_image_folder_host_or_person(finished: Project) -> None:
    text = collected(finished.results).stdout
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    stems = {Path(name).stem for name in images["filename"]}
    assert stems and not any(stem in text for stem in stems)
    assert not any(wnid in text for wnid in images["wnid"].dropna().unique())
    assert str(finished.results.parent) not in text and socket.gethostname() not in text
    assert f'"{getpass.getuser()}"' not in text


def test_an_archive_is_as_published_by_its_makers_checksum_and_not_by_the_one_that_a_configuration_expects(
    tmp_path: Path,
) -> None:
    devkit, multilabel = ILSVRC2012.archives["devkit"], ILSVRC2012.archives["multilabel"]
    receipts = [
        {"name": "train", "md5": ILSVRC2012.archives["train"].md5, "expected": None},
        {"name": "multilabel", "sha256": multilabel.sha256, "expected": multilabel.sha256},
        {"name": "devkit", "sha256": devkit.unpacked_sha256, "expected": devkit.unpacked_sha256},
        {"name": "val", "md5": "0" * 32, "expected": "0" * 32},
        {"name": "test", "sha256": "1" * 64, "source": "test", "passed_over": 3},
    ]
    for folder in ("benchmarks", "verified"):
        (tmp_path / folder).mkdir()
    (tmp_path / "benchmarks" / "write_page.tsv").write_text("s\tmax_rss\n1\t2\n")
    for receipt in receipts:
        (tmp_path / "verified" / f"{receipt['name']}.json").write_text(json.dumps(receipt))
    told = json.loads(collected(tmp_path).stdout)["archives"]
    found = {it["name"]: (it["as_published"], it["stood_in_for"], it["passed_over"]) for it in told}
    assert found == {
        **dict.fromkeys(("train", "multilabel", "devkit"), (True, False, 0)),
        "val": (False, False, 0),
        "test": (False, True, 3),
    }


def test_a_line_is_an_archive_a_check_or_a_job(finished: Project) -> None:
    text = collected(finished.results).stdout
    told = json.loads(text)
    wanted = [it for key in ("archives", "audit", "jobs") for it in told[key]]
    assert [json.loads(line.strip(" ,")) for line in text.splitlines() if line.startswith("  ")] == wanted


def test_a_reader_that_has_seen_enough_is_no_error(finished: Project) -> None:
    command = f"{shlex.join([sys.executable, '-m', 'imagenet_prep.experience', str(finished.results)])} | true"
    assert subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stderr == ""


def test_a_folder_where_nothing_was_made_is_one_line(tmp_path: Path) -> None:
    run = collected(tmp_path)
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr.startswith(f"ERROR {tmp_path}: no run has left a benchmark file below it")
    assert run.stderr.count("\n") == 1
