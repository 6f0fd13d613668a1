"""The workflow by its other entrance, which Snakemake's catalogue and `module` look for."""

from __future__ import annotations

from pathlib import Path

import clones
from project import Project

CATALOGUE = ("--snakefile", "workflow/Snakefile")


def test_the_snakefile_of_the_catalogue_has_nothing_to_do_where_everything_is_made(project: Project) -> None:
    assert project.run(*CATALOGUE).nothing_done


def test_the_snakefile_of_the_catalogue_makes_what_is_stale_and_then_has_nothing_to_do(
    project: Project, tmp_path: Path
) -> None:
    clone = clones.new_clone(project, tmp_path / "clone")
    clone.configure({"tfrecord": {"label_base": 0}})
    run = clone.succeed(*CATALOGUE)
    assert "write_tfrecord" in run.rules
    assert clone.run(*CATALOGUE).nothing_done
    assert clone.run().nothing_done
