"""Scores, against computations written from their definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imagenet_prep.datasets.real_labels import read_real_labels
from imagenet_prep.errors import PrepError
from imagenet_prep.products.predictions import read_predictions
from imagenet_prep.products.scores import Truth, per_class, score

CLASSES = 10
PLACE = Path("predictions/model.csv")


def truth(labels: list[int], real: list[list[int]] | None = None, multilabel: pd.DataFrame | None = None) -> Truth:
    return Truth(
        filenames=[f"v{number}" for number in range(len(labels))],
        labels=np.array(labels, np.int64),
        devkit_ids=np.array([CLASSES - label for label in labels], np.int64),
        numbers=CLASSES,
        classes=pd.DataFrame({"class_index": range(CLASSES), "wnid": "n", "words": "w"}),
        real=real,
        multilabel=multilabel,
    )


def test_top1_and_top5_count_the_images_whose_label_is_first_or_among_the_first_five() -> None:
    predictions = np.array([[0, 1, 2, 3, 4], [9, 8, 7, 6, 1], [9, 8, 7, 6, 5], [3, 0, 1, 2, 4]])
    scores = score(predictions, truth([0, 1, 2, 3]), PLACE)
    assert (scores["top1"], scores["top5"], scores["images"]) == (0.5, 0.75, 4)


def test_without_five_predictions_an_image_there_is_no_top5() -> None:
    assert "top5" not in score(np.array([[0], [1]]), truth([0, 1]), PLACE)


def test_the_mean_over_classes_gives_each_class_the_same_weight() -> None:
    predictions = np.array([[0], [0], [0], [1]])
    assert score(predictions, truth([0, 0, 0, 2]), PLACE)["mean_per_class"] == 0.5


def test_real_leaves_out_images_without_a_label_and_takes_any_of_several() -> None:
    real = [[0, 5], [], [7], [3]]
    scores = score(np.array([[5], [1], [2], [3]]), truth([0, 1, 2, 3], real=real), PLACE)
    assert scores["real"] == {"accuracy": 2 / 3, "images": 3}


def test_multilabel_leaves_out_problematic_images_takes_unclear_ones_and_averages_over_classes() -> None:
    table = pd.DataFrame(
        {
            "file_name": ["v0", "v1", "v2", "v3"],
            "original_label": [0, 0, 1, 1],
            "correct_multi_labels": [[0, 4], [0], [1], [1]],
            "wrong_multi_labels": [[], [3], [], []],
            "unclear_multi_labels": [[], [], [6], []],
            "is_problematic": [False, False, False, True],
            "imagenet_m": [True, True, False, False],
        }
    )
    scores = score(np.array([[4], [3], [6], [9]]), truth([0, 0, 1, 1], multilabel=table), PLACE)
    assert scores["multilabel"] == {"accuracy": (0.5 + 1.0) / 2, "images": 3}
    assert scores["imagenet_m"] == {"wrong": 1, "images": 2, "wrong_images": ["v1"]}


def test_the_table_of_classes_says_what_each_is_taken_for() -> None:
    table = per_class(np.array([[0], [4], [4], [5]]), truth([0, 0, 0, 0])).set_index("class_index")
    assert (table.loc[0, "images"], table.loc[0, "top1"]) == (4, 0.25)
    assert (table.loc[0, "taken_for"], table.loc[0, "times"]) == (4, 2)
    assert table.loc[1, "images"] == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [(lambda label: label + 1, "begin with 1"), (lambda label: CLASSES - label, "ILSVRC2012 IDs of the devkit")],
)
def test_predictions_in_another_numbering_are_told_which(other, words: str) -> None:  # type: ignore[no-untyped-def]
    labels = [0, 1, 2, 3, 4, 6, 7, 8] * 3
    with pytest.raises(PrepError, match=words):
        score(np.array([[other(label)] for label in labels]), truth(labels), PLACE)


@pytest.mark.parametrize(
    ("other", "mend"),
    [(lambda label: label + 1, "Subtract 1"), (lambda label: CLASSES - label, "Map them to class_index")],
)
def test_numbers_beyond_the_indices_are_told_by_their_numbering(other, mend: str) -> None:  # type: ignore[no-untyped-def]
    labels = [0, 1, 2, 3, 4, 6, 7, 9] * 3
    with pytest.raises(PrepError) as caught:
        score(np.array([[other(label)] for label in labels]), truth(labels), PLACE)
    assert caught.value.remedy == mend


@pytest.mark.parametrize("number", [10, -1])
def test_a_number_that_is_no_index_is_told_with_its_image(number: int) -> None:
    with pytest.raises(PrepError, match=f"v1 is predicted as {number}, and indices go from 0 to 9") as caught:
        score(np.array([[0, 1], [1, number]]), truth([0, 1]), PLACE)
    assert caught.value.place == str(PLACE)


def test_a_model_that_is_just_bad_is_scored() -> None:
    labels = [0, 1, 2, 3] * 5
    assert score(np.full((20, 1), 9), truth(labels), PLACE)["top1"] == 0


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_predictions_are_read_in_the_order_of_the_images(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", "filename,top1,top2\nb,1,2\na,3,4\n")
    assert read_predictions(path, ["a", "b"]).tolist() == [[3, 4], [1, 2]]


@pytest.mark.parametrize("column", ["top5", "predictions"])
def test_predictions_may_be_one_column_of_lists_in_parquet(column: str, tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pd.DataFrame({"filename": ["a", "b"], column: [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]}).to_parquet(path)
    assert read_predictions(path, ["a", "b"]).tolist() == [[1, 2, 3, 4, 5], [6, 5, 4, 3, 2]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be read as CSV"),
        ("name,top1\na,1\n", "no column filename"),
        ("filename,best\na,1\nb,1\n", "neither columns top1"),
        ("filename,top2\na,1\nb,1\n", "neither columns top1"),
        ("filename,top1\na,1\n", "b: without a prediction"),
        ("filename,top1\na,1\nb,1\na,2\n", "a: predicted more than once"),
        ("filename,top1\na,1\nb,1\nc,2\n", "c: no validation image"),
        ("filename,top1\na,1\nb,\n", "empty or no whole number"),
        ("filename,top1\na,1\nb,1.5\n", "empty or no whole number"),
        ("filename,top1\na,1\nb,cat\n", "no number"),
    ],
)
def test_predictions_of_another_shape_are_an_error_that_names_it(text: str, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", text)
    with pytest.raises(PrepError, match=problem) as caught:
        read_predictions(path, ["a", "b"])
    assert caught.value.place == str(path)


@pytest.mark.parametrize("text", ["[[1]]", "{}", "[[1], [10]]", "[[1], 2]", "[[1], [true]]", "[[1], [", "[" * 100_000])
def test_real_labels_of_another_shape_are_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"real\.json"):
        read_real_labels(write(tmp_path / "real.json", text), images=2, classes=CLASSES)


def test_scores_on_the_real_annotations_are_those_of_an_independent_computation(shared_data: Path) -> None:
    real = read_real_labels(shared_data / "real.json", 50000, 1000)
    rows = pd.read_csv(shared_data / "multilabel_first1000.csv", keep_default_na=False)
    rng = np.random.default_rng(3)

    def split(text: str) -> list[int]:
        return [int(label) for label in text.split(",") if label.strip()]

    labels = rows["original_label"].astype(int).tolist()
    table = pd.DataFrame(
        {
            "file_name": [f"v{number}" for number in range(len(rows))],
            "original_label": labels,
            "correct_multi_labels": [split(text) for text in rows["proposed_labels"]],
            "wrong_multi_labels": [split(text) for text in rows["wrong_multi_labels"]],
            "unclear_multi_labels": [split(text) for text in rows["unclear_multi_labels"]],
            "is_problematic": rows["is_problematic"].astype(str) == "True",
            "imagenet_m": False,
        }
    )
    of_rows = [real[int(name[15:23]) - 1] for name in rows["id"]]
    top1 = np.where(rng.random(len(rows)) < 0.7, labels, rng.integers(0, 1000, len(rows)))
    answer = Truth(
        table["file_name"].tolist(), np.array(labels), np.array(labels), 1000, pd.DataFrame(), of_rows, table
    )
    scores = score(top1[:, None], answer, PLACE)

    hits: dict[int, list[bool]] = {}
    for position, row in enumerate(rows.to_dict("records")):
        if str(row["is_problematic"]) != "True":
            fine = f"{row['proposed_labels']}, {row['unclear_multi_labels']}".replace(" ", "").split(",")
            hits.setdefault(labels[position], []).append(str(top1[position]) in fine)
    by_class = [sum(values) / len(values) for values in hits.values()]
    assert scores["multilabel"]["accuracy"] == pytest.approx(sum(by_class) / len(by_class))
    kept = [(int(prediction), entry) for prediction, entry in zip(top1, of_rows, strict=True) if entry]
    assert scores["real"]["images"] == len(kept)
    assert scores["real"]["accuracy"] == pytest.approx(sum(p in entry for p, entry in kept) / len(kept))
    assert json.loads(json.dumps(scores)) == scores
