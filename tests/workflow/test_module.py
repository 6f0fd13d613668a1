"""The workflow by its other entrance, which Snakemake's catalogue and `module` look for."""

from __future__ import annotations

from pathlib import Path

import clones
from project import SMALL, Project

CATALOGUE = ("--snakefile", "workflow/Snakefile")


def test_the_snakefile_of_the_catalogue_makes_what_is_stale_alone(own: Project, tmp_path: Path) -> None:
    assert own.run(*CATALOGUE).nothing_done
    clone = clones.new_clone(own, tmp_path / "clone")
    clone.configure({"tfrecord": {"label_base": 0}})
    run = clone.succeed(*CATALOGUE, "tfrecord_validation")
    assert "write_tfrecord" in run.rules
    assert clone.run(*CATALOGUE, "tfrecord_validation").nothing_done
    assert clone.run("tfrecord_validation").nothing_done


def test_an_outer_workflow_beside_it_has_commands_of_any_form(tmp_path: Path) -> None:
    project = Project(tmp_path, SMALL)
    outer = """
include: "Snakefile"


rule three:
    output: "three.txt"
    shell: "for i in 1 2 3; do echo $i; done >{output}"
"""
    (tmp_path / "mine.smk").write_text(outer)
    project.succeed("--snakefile", "mine.smk", "three.txt")
    assert (tmp_path / "three.txt").read_text() == "1\n2\n3\n"
