"""Looking a class up in all its numberings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.devkit import read_devkit
from imagenet_prep.labels import main
from imagenet_prep.products.labels import write_labels


@pytest.fixture(scope="module")
def labels(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The label files of the real devkit."""
    folder = tmp_path_factory.mktemp("labels")
    devkit = read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")
    write_labels(devkit.synsets, devkit.ground_truth, select_classes(devkit.synsets, None, "original"), folder)
    return folder


def asked(capsys: pytest.CaptureFixture[str], labels: Path, *query: str) -> str:
    assert main([*query, "--labels", str(labels)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("query", ["kit fox", "Vulpes macrotis", "n02119789", "278", "KIT FOX"])
def test_the_kit_fox_is_found_by_each_of_its_names_and_numbers(
    query: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = asked(capsys, labels, query)
    (entry,) = [part for part in answer.split("\n\n") if "n02119789" in part]
    lines = [line.split() for line in entry.splitlines()]
    assert [line[-1] for line in lines if line[0] in ("index", "tf_label", "ILSVRC2012_ID")] == ["278", "279", "1"]
    assert "carnivore > canine > fox > kit fox" in entry


def test_a_number_is_looked_for_in_every_numbering(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, labels, "1")
    assert [part.split("found by ")[1].split()[0] for part in answer.split("\n\n")] == [
        "index",
        "tf_label",
        "ILSVRC2012_ID",
    ]


@pytest.mark.parametrize(
    ("name", "wnids"), [("crane", ["n02012849", "n03126707"]), ("maillot", ["n03710637", "n03710721"])]
)
def test_an_ambiguous_name_lists_all_that_it_means(
    name: str, wnids: list[str], labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = asked(capsys, labels, name)
    assert [part.split("(")[1][:9] for part in answer.split("\n\n")][:2] == wnids


def test_a_class_with_two_parents_is_shown_at_both_places(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, labels, "n02105855")
    assert "domestic animal > dog" in answer
    assert "canine > dog" in answer


def test_what_is_not_there_is_said(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no such thing", "--labels", str(labels)]) == 1
    assert "No class is called 'no such thing'" in capsys.readouterr().err


def test_without_label_files_the_message_says_how_to_make_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "imagenet_prep.labels", "kit", "fox"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "snakemake --cores 1 labels" in done.stderr
    assert "Traceback" not in done.stderr
