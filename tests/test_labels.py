"""Looking a class up in all its numberings."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("query", ["kit fox", "Vulpes macrotis", "n02119789", "278", "KIT FOX", "kit_fox", "kitfox"])
def test_the_kit_fox_is_found_by_each_name(query: str, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, labels, query)
    (entry,) = [part for part in answer.split("\n\n") if "n02119789" in part]
    lines = [line.split() for line in entry.splitlines()]
    assert [line[-1] for line in lines if line[0] in ("index", "tf_label", "ILSVRC2012_ID")] == ["278", "279", "1"]
    assert "carnivore > canine > fox > kit fox" in entry


@pytest.mark.parametrize("query", ["n02119789_10.JPEG", "train/n02119789/", "n02119789.tar", "02119789", "2119789"])
def test_the_wnid_is_taken_out_of_what_has_it_in_it(
    query: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, labels, query).startswith("kit fox, Vulpes macrotis  (n02119789, found by wnid)")


@pytest.mark.parametrize(
    ("typed", "head"),
    [
        ("tshirt", "jersey, T-shirt"),
        ("polarbear", "ice bear"),
        ("potters wheel", "potter's wheel"),
        ("hot-dog", "hotdog"),
        ("kit_fox.n.01", "kit fox"),
    ],
)
def test_a_name_is_found_however_its_words_are_joined(
    typed: str, head: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, labels, typed).startswith(head)


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


@pytest.mark.parametrize("query", ["n02084071", "dog"])
def test_a_synset_above_classes_is_shown_with_all_of_them(
    query: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = asked(capsys, labels, query).split("\n\n")[0].splitlines()
    assert entry[0].startswith("dog, domestic dog, Canis familiaris  (n02084071, found by ")
    assert entry[1].split()[-1] == "118"
    below = [line.split()[:2] for line in entry if line.split()[0].isdecimal()]
    assert len(below) == 118
    assert below[0] == ["151", "n02085620"]


@pytest.mark.parametrize(
    ("word", "there", "elsewhere"),
    [("cat", "tabby, tabby cat", "bullfrog"), ("fox", "kit fox", "foxhound"), ("white_shark", "great white", "sharks")],
)
def test_whole_words_are_found_and_no_parts_of_others(
    word: str, there: str, elsewhere: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = [part.splitlines()[0] for part in asked(capsys, labels, word).split("\n\n")]
    assert any(there in head for head in heads)
    assert not any(elsewhere in head for head in heads)


def test_a_whole_name_comes_before_names_with_the_word_in_them(
    labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = [part.splitlines()[0] for part in asked(capsys, labels, "fox").split("\n\n")]
    assert [head.endswith("found by name)") for head in heads] == [True] + [False] * (len(heads) - 1)


@pytest.mark.parametrize(
    ("typed", "head"), [("dogs", "dog, domestic dog"), ("kites", "kite"), ("cats", "cat, true cat")]
)
def test_several_of_a_kind_are_found_by_its_name(
    typed: str, head: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, labels, typed).startswith(head)


def test_a_part_of_a_word_is_found_where_no_word_is(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "golden retriever" in asked(capsys, labels, "retriev")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("n0208407", "n02084071"),
        ("n02119788", "n02119789"),
        ("kit fxo", "kit fox"),
        ("golden_retreiver", "golden retriever"),
        ("chiuahua", "Chihuahua"),
        ("fxo", "fox"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(
    typed: str, meant: str, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([typed, "--labels", str(labels)]) == 1
    assert f"Did you mean {meant}" in capsys.readouterr().err


def test_a_program_gets_all_of_it_as_json(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fox,) = json.loads(asked(capsys, labels, "n02119789", "--json"))
    assert fox.pop("ways")[0][-2:] == ["fox", "kit fox"]
    assert fox == {
        "class_index": 278,
        "wnid": "n02119789",
        "ilsvrc2012_id": 1,
        "tf_label": 279,
        "words": "kit fox, Vulpes macrotis",
        "num_train_images": 1300,
        "classes": [278],
        "found_by": "wnid",
    }
    dog = json.loads(asked(capsys, labels, "dog", "--json"))[0]
    assert (dog["class_index"], len(dog["classes"]), dog["found_by"]) == (None, 118, "name")


def test_a_program_gets_an_empty_list_of_what_is_not_there(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no such thing", "--json", "--labels", str(labels)]) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_without_an_argument_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m imagenet_prep.labels")


@pytest.mark.parametrize("query", ["n02084071", "n99999999", "1001", "", " _ "])
def test_what_nothing_has_ends_in_one_line(query: str, tmp_path: Path) -> None:
    done = look_up(tmp_path, query)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2  # the first says that there are no label files


def test_without_label_files_the_answer_to_a_synset_above_classes_is_where_it_would_be_found(tmp_path: Path) -> None:
    assert "which has none of the synsets above them. Make the label files" in look_up(tmp_path, "n02084071").stderr


def test_without_label_files_classes_that_have_a_word_are_not_taken_for_all_below_a_synset(tmp_path: Path) -> None:
    done = look_up(tmp_path, "bird")
    assert "indigo bunting" in done.stdout
    assert "which has none of the synsets above them" in done.stderr


def test_a_folder_in_the_home_is_found_as_a_shell_finds_it(
    labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "labels").symlink_to(labels)
    assert main(["--labels=~/labels", "278"]) == 0
    assert "kit fox" in capsys.readouterr().out


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
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("There is no results/labels: looked up in the package's list of classes")
    (entry,) = [part for part in done.stdout.split("\n\n") if "n02119789" in part]
    lines = [line.split() for line in entry.splitlines()[1:]]
    assert [(line[0], line[-1]) for line in lines] == [
        ("index", "278"),
        ("tf_label", "279"),
        ("ILSVRC2012_ID", "1"),
        ("training", "1300"),
    ]


def test_a_tree_of_other_classes_is_not_taken(tmp_path: Path) -> None:
    columns = "class_index,wnid,ilsvrc2012_id,tf_label,words,num_train_images"
    (tmp_path / "classes.csv").write_text(f"{columns}\n0,n02119789,1,1,fox,7\n", encoding="ascii")
    child = {"wnid": "n01440764", "words": "tench", "class_index": 1, "children": []}
    tree = {"wnid": "n00001740", "words": "entity", "class_index": None, "children": [child]}
    (tmp_path / "hierarchy.json").write_text(json.dumps(tree), encoding="ascii")
    done = look_up(tmp_path, "fox", "--labels", ".")
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR hierarchy.json: the file is damaged")


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
