"""The commands in messages: as the run was started, and quoted for the shell."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from imagenet_prep import commands

STARTED = {
    "snakemake --cores 2": "snakemake --cores 2 labels",
    "snakemake -c4 check": "snakemake --cores 4 labels",
    "snakemake --cores": "snakemake --cores all labels",
    "snakemake -c 2 all --configfile config/config.yaml my.yaml": (
        "snakemake --cores 2 labels --configfile config/config.yaml my.yaml"
    ),
    "snakemake --configfile 'my own.yaml' --cores 2 check -n": (
        "snakemake --cores 2 labels --configfile 'my own.yaml'"
    ),
    "snakemake check --directory 'data/image net' --cores=1": (
        "snakemake --cores 1 labels --directory 'data/image net'"
    ),
    "snakemake --profile profiles/slurm -s ~/prep/Snakefile": (
        "snakemake labels --snakefile '~/prep/Snakefile' --profile profiles/slurm"
    ),
    "snakemake -c 2 --config output_dir=x 'classes=[n1]'": (
        "snakemake --cores 2 labels --config output_dir=x 'classes=[n1]'"
    ),
    ".venv/bin/snakemake -c 2": ".venv/bin/snakemake --cores 2 labels",
}


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)


@pytest.mark.parametrize(("typed", "expected"), STARTED.items(), ids=STARTED)
def test_a_command_has_what_the_run_was_started_with(
    typed: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(commands.VARIABLE, commands.started_by(shlex.split(typed)))
    assert commands.snakemake("labels") == expected


def test_a_command_without_cores_is_given_some_and_else_stays_as_it_was_typed() -> None:
    typed = "snakemake audit -n --configfile 'my own.yaml' --set-threads x=2"
    expected = "snakemake --cores all audit -n --configfile 'my own.yaml' --set-threads x=2"
    assert commands.with_cores(shlex.split(typed)) == expected


def test_paths_are_quoted_and_found_from_where_snakemake_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    started = commands.started_by(["snakemake", "-c1", "--directory", "/data/image net"])
    monkeypatch.setenv(commands.VARIABLE, started)
    assert commands.typed("my out/dïr") == "'/data/image net/my out/dïr'"
    assert commands.typed("/elsewhere/x") == "/elsewhere/x"
    monkeypatch.delenv(commands.VARIABLE)
    assert commands.typed("-odd") == "./-odd"
    assert shlex.split(commands.typed("it's {a} $HOME")) == ["it's {a} $HOME"]


def test_what_is_removed_is_quoted_and_may_be_a_folder_or_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert commands.remove(folder, then="go") == f"rm -rf '{folder}' && go"
    pattern = f"{folder}/train-*-of-00003"
    assert commands.remove(then="go", pattern=pattern) == f"rm -f '{folder}/train-'*-of-00003 && go"


def test_what_nobody_knows_is_moved_and_kept() -> None:
    command = commands.move_away("my out/imagefolder/train/notes", "my out")
    folder = "'my out.moved-away/imagefolder/train'"
    assert command == f"mkdir -p {folder} && mv 'my out/imagefolder/train/notes' {folder}/"


@pytest.mark.parametrize("before", ["results.moved-away/labels/notes", "results.moved-away/labels"])
def test_what_was_moved_away_before_is_kept_too(before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("first", "second", "third"):
        path = Path("results/labels/notes")
        for place in (path, Path(before)):
            place.parent.mkdir(parents=True, exist_ok=True)
        Path(before).write_text("before")
        path.write_text(text)
        subprocess.run(["bash", "-ec", commands.move_away(path, "results")], check=True)
        assert not path.exists()
    kept = sorted(it.read_text() for it in Path().glob("results.moved-away*/**/*") if it.is_file())
    assert kept == ["before", "first", "second", "third"]
