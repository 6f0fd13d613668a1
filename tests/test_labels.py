"""Looking a class up in all its numberings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.devkit import read_devkit
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
def test_the_kit_fox_is_found_by_each_name(query: str, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def look_up(folder: Path, *query: str) -> subprocess.CompletedProcess[str]:
    """The command, called in a folder."""
    command = [sys.executable, "-m", "imagenet_prep.labels", *query]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("query", ["kit fox", "n02119789", "278"])
def test_without_label_files_the_list_of_the_package_is_taken_and_one_line_says_so(query: str, tmp_path: Path) -> None:
    done = look_up(tmp_path, query)
    assert (done.returncode, done.stderr) == (
        0,
        "There is no results/labels: looked up in the list of classes of the package\n",
    )
    (entry,) = [part for part in done.stdout.split("\n\n") if "n02119789" in part]
    lines = [line.split() for line in entry.splitlines()[1:]]
    assert [(line[0], line[-1]) for line in lines] == [
        ("index", "278"),
        ("tf_label", "279"),
        ("ILSVRC2012_ID", "1"),
        ("training", "1300"),
    ]


def test_the_list_of_the_package_knows_that_a_name_is_ambiguous(tmp_path: Path) -> None:
    done = look_up(tmp_path, "crane")
    assert [line.split("(")[1][:9] for line in done.stdout.splitlines() if "found by name" in line] == [
        "n02012849",
        "n03126707",
    ]


def test_label_files_that_are_there_are_taken_without_being_named(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "labels"
    folder.mkdir(parents=True)
    columns = "class_index,wnid,ilsvrc2012_id,tf_label,words,num_train_images"
    (folder / "classes.csv").write_text(f"{columns}\n0,n02119789,1,1,only a fox,7\n", encoding="ascii")
    (folder / "hierarchy.json").write_text(
        '{"wnid": "n02119789", "words": "only a fox", "class_index": 0, "children": []}', encoding="ascii"
    )
    done = look_up(tmp_path, "n02119789")
    assert (done.returncode, done.stderr) == (0, "")
    assert "only a fox" in done.stdout


@pytest.mark.parametrize("options", [["--labels", "elsewhere"], []])
def test_without_the_files_the_message_says_how_to_make_them(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "results" / "labels").mkdir(parents=True)
    done = look_up(tmp_path, "kit", "fox", *options)
    assert done.returncode == 1
    assert "snakemake --cores 1 labels" in done.stderr
    assert "Traceback" not in done.stderr
