"""Index files of the archives: made by default, or left out with a line where a source cannot have them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

import builders
import clones
from damage import path_of
from project import LESS, Project, merged

USE = merged(LESS, {"products": ["archive_index", "audit"], "tfrecord": {"train_shards": 2}})
INDEXES = {"dali/train.idx", "ratarmount/ILSVRC2012_img_train.tar.index.sqlite"}
REASON = "does not begin with its file name, in which readers look for the class"


@pytest.fixture
def odd(finished: Project, tmp_path: Path) -> Project:
    """A project whose validation archive has a folder before the names, and of which nothing is made."""
    project = clones.owned(finished, tmp_path / "project", USE)
    archive = path_of(project, "val")
    with tarfile.open(archive) as tar:
        members = {f"val/{it.name}": tar.extractfile(it).read() for it in tar if it.isfile()}  # type: ignore[union-attr]
    archive.write_bytes(builders.tar(members))
    project.configure({"archives": {"val": {"bytes": archive.stat().st_size}}})
    return project


def test_where_a_source_cannot_have_it_it_is_left_out_with_a_line_and_refused_by_name(odd: Project) -> None:
    refused = odd.run("archive_index")
    assert refused.code != 0
    assert REASON in refused.last_line
    assert refused.last_line.endswith("Ask for archive_index_train.")
    assert not (odd.results / "archive_index").exists()
    run = odd.succeed()
    assert "Left out: archive_index of validation, since the header of val/ILSVRC2012_val_00000001.JPEG" in run.terminal
    assert builders.files_below(odd.results / "archive_index") == INDEXES
    assert json.loads((odd.results / "audit.json").read_text())["ok"] is True
    assert odd.run().nothing_done
    assert REASON in odd.run("archive_index_validation").last_line
    assert "Everything is as it should be" in odd.run("check").terminal or odd.run("check").code == 0


def test_an_archive_that_comes_in_its_place_has_it(odd: Project, finished: Project) -> None:
    odd.succeed()
    good = path_of(finished, "val")
    path_of(odd, "val").write_bytes(good.read_bytes())
    odd.configure({"archives": {"val": {"bytes": good.stat().st_size}}})
    run = odd.succeed()
    assert "Left out" not in run.terminal
    assert (odd.results / "archive_index" / "dali" / "validation.idx").exists()
    assert odd.run().nothing_done


def test_the_target_brings_the_table_that_tells_the_labels_and_nothing_else(finished: Project, tmp_path: Path) -> None:
    project = clones.owned(finished, tmp_path / "project", USE)
    run = project.succeed("archive_index")
    assert {"write_archive_index", "tabulate_images"} <= run.rules
    assert run.rules.isdisjoint({"write_imagefolder", "write_tfrecord", "audit_products"})
    assert (project.results / "tables" / "images.parquet").exists()
