"""How the workflow is started: what that imports, on a cluster in every job, and from where it can be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import snakemake_logger_plugin_imagenet_prep
from project import CHECKOUT, LESS, SMALL, Project, environment, merged


def test_reading_the_workflow_imports_no_library_for_tables_or_stores(tmp_path: Path) -> None:
    project = Project(tmp_path, SMALL)
    run = subprocess.run(
        project.command("--dry-run"),
        cwd=tmp_path,
        env={**environment(), "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(re.findall(r"^import time:.*\| *([\w.]+)$", run.stderr, re.MULTILINE))
    assert "imagenet_prep.console.summary" in imported
    assert imported & {"pyarrow", "scipy", "fsspec"} == set()


# A snakemake whose environment does not have this project.
ELSEWHERE = """
import sys
sys.path = [folder for folder in sys.path if folder != sys.argv[1]]
sys.argv = ["snakemake", "--dry-run"]
from snakemake.cli import main
main()
"""


def test_a_snakemake_without_the_plugin_ends_with_words_that_the_page_explains(tmp_path: Path) -> None:
    Project(tmp_path, SMALL)
    installed = str(Path(snakemake_logger_plugin_imagenet_prep.__file__).parents[1])
    command = [sys.executable, "-c", ELSEWHERE, installed]
    run = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode != 0
    words = "snakemake: error: argument --logger: invalid choice: 'imagenet-prep'"
    assert run.stderr.splitlines()[-1].startswith(words)
    assert f"`{words}`" in (CHECKOUT / "docs" / "trouble.md").read_text()


def test_the_plugin_leaves_the_library_to_the_clone_whose_workflow_is_read() -> None:
    program = "import sys, snakemake_logger_plugin_imagenet_prep; print([it for it in sys.modules if 'imagenet' in it])"
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert said.stdout == "['snakemake_logger_plugin_imagenet_prep']\n"


def test_a_file_of_the_working_directory_named_as_a_module_breaks_no_job(tmp_path: Path) -> None:
    project = Project(tmp_path, merged(SMALL, LESS))
    (tmp_path / "random.py").write_text("raise SystemExit('this is no module')\n")
    python, _, _, *words = project.command(
        "results/verified/devkit.json"
    )  # by `python -m snakemake`, which itself would look there
    command = [str(Path(python).parent / "snakemake"), *words]
    run = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


OUTER = """
module imagenet:
    snakefile: "../inner/workflow/Snakefile"
    config: config

use rule * from imagenet

rule mine:
    input: rules.write_labels.output
    output: "mine.txt"
    shell: "wc -l {input} >{output}"
"""


def test_another_workflow_can_take_this_one_as_a_module(finished: Project, tmp_path: Path) -> None:
    for name in ("inner", "outer"):
        (tmp_path / name).mkdir()
    inner, outer = finished.twin(tmp_path / "inner"), Project(tmp_path / "outer")
    (outer.folder / "Snakefile").write_text(OUTER)
    configuration = [str(inner.folder / name) for name in ("config/config.yaml", "test.yaml")]
    command = [*outer.command()[:5], "mine.txt", "--configfile", *configuration]
    run = subprocess.run(command, cwd=outer.folder, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for path in (finished.results / "labels").iterdir():
        assert (outer.results / "labels" / path.name).read_bytes() == path.read_bytes()
