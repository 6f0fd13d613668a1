"""The workflow by its other entrance, which Snakemake's catalogue and `module` look for."""

from __future__ import annotations

from pathlib import Path

import clones
from project import Project

CATALOGUE = ("--snakefile", "workflow/Snakefile")


def test_the_snakefile_of_the_catalogue_makes_what_is_stale_alone(own: Project, tmp_path: Path) -> None:
    assert own.run(*CATALOGUE).nothing_done
    clone = clones.new_clone(own, tmp_path / "clone")
    clone.configure({"tfrecord": {"label_base": 0}})
    run = clone.succeed(*CATALOGUE, "tfrecord_validation")
    assert "write_tfrecord" in run.rules
    assert clone.run(*CATALOGUE, "tfrecord_validation").nothing_done
    assert clone.run("tfrecord_validation").nothing_done
