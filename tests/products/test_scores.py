"""Scores, against computations written from their definitions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from imagenet_prep.datasets.real_labels import read_real_labels
from imagenet_prep.errors import PrepError
from imagenet_prep.products.predictions import ValidationSet
from imagenet_prep.products.score_text import in_a_line
from imagenet_prep.products.scores import Truth, per_class, score

CLASSES = 10
PLACE = Path("predictions/model.csv")


def truth(labels: list[int], real: list[list[int]] | None = None, multilabel: pd.DataFrame | None = None) -> Truth:
    """What is right for images v1, v2 …; the ILSVRC2012 ID of a class is 10 less its index."""
    filenames = [f"v_{number}.JPEG" for number in range(1, len(labels) + 1)]
    wnids = [f"n{index:08}" for index in range(CLASSES)]
    return Truth(
        filenames=filenames,
        labels=np.array(labels, np.int64),
        numbers=CLASSES,
        classes=pd.DataFrame(
            {
                "class_index": range(CLASSES),
                "wnid": wnids,
                "words": [f"w{index}" for index in range(CLASSES)],
                "ilsvrc2012_id": [CLASSES - index for index in range(CLASSES)],
                "original": range(CLASSES),
            }
        ),
        validation_set=ValidationSet(filenames, filenames, wnids, range(CLASSES)),
        real=real,
        multilabel=multilabel,
        of_all=np.array(labels, np.int64),
    )


def annotated(file_names: list[str], **columns: list[object]) -> pd.DataFrame:
    """A table of multi-label annotations."""
    return pd.DataFrame({"file_name": file_names, **columns})


def test_top1_and_top5_count_the_images_whose_label_is_first_or_among_the_first_five() -> None:
    predictions = np.array([[0, 1, 2, 3, 4], [9, 8, 7, 6, 1], [9, 8, 7, 6, 5], [3, 0, 1, 2, 4]])
    scores = score(predictions, truth([0, 1, 2, 3]), PLACE)
    assert (scores["top1"], scores["top5"], scores["images"]) == (0.5, 0.75, 4)


def test_without_five_predictions_an_image_there_is_no_top5() -> None:
    scores = score(np.array([[0], [1]]), truth([0, 1]), PLACE)
    assert scores["top5"] is None
    assert "fewer than five classes" in scores["notes"]["top5"]


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
            "file_name": ["v_1.JPEG", "v_2.JPEG", "v_3.JPEG", "v_4.JPEG"],
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
    assert scores["imagenet_m"] == {"wrong": 1, "images": 2, "wrong_images": ["v_2.JPEG"]}


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
    with pytest.raises(PrepError, match=f"v_2.JPEG is predicted as {number}, and indices go from 0 to 9") as caught:
        score(np.array([[0, 1], [1, number]]), truth([0, 1]), PLACE)
    assert caught.value.place == str(PLACE)


def test_a_model_that_is_just_bad_is_scored() -> None:
    labels = [0, 1, 2, 3] * 5
    assert score(np.full((20, 1), 9), truth(labels), PLACE)["top1"] == 0


def test_a_score_of_no_image_is_none_and_a_sentence_says_why() -> None:
    columns = {"original_label": [0], "correct_multi_labels": [[0]], "unclear_multi_labels": [[]]}
    table = annotated(["v_1.JPEG"], **columns, is_problematic=[True], imagenet_m=[False])  # type: ignore[arg-type]
    scores = score(np.array([[0], [1]]), truth([0, 1], real=[[], []], multilabel=table), PLACE)
    assert scores["real"] == {"accuracy": None, "images": 0}
    assert scores["multilabel"] == {"accuracy": None, "images": 0}
    assert scores["imagenet_m"] == {"wrong": None, "images": 0, "wrong_images": []}
    assert scores["notes"].keys() == {"top5", "real", "multilabel", "imagenet_m"}
    nothing = score(np.empty((0, 5), np.int64), truth([]), PLACE)
    assert (nothing["top1"], nothing["top5"], nothing["mean_per_class"]) == (None, None, None)
    assert "no validation image" in nothing["notes"]["top1"]


def test_annotations_that_are_not_in_use_give_no_score_and_a_sentence() -> None:
    scores = score(np.array([[0]]), truth([0]), PLACE)
    assert (scores["real"], scores["multilabel"], scores["imagenet_m"]) == (None, None, None)
    assert "not in use" in scores["notes"]["real"]


def test_scores_of_a_part_say_so_and_count_its_images_alone() -> None:
    columns = {"original_label": [0, 1], "correct_multi_labels": [[0], [1]], "unclear_multi_labels": [[], []]}
    table = annotated(["v_1.JPEG", "v_4.JPEG"], **columns, is_problematic=[False] * 2, imagenet_m=[True] * 2)  # type: ignore[arg-type]
    part = truth([0, 1, 2, 1], real=[[0], [1], [3], [2]], multilabel=table).part(np.array([2, 3]))
    scores = score(np.array([[2], [1]]), part, PLACE)
    assert (scores["images"], scores["validation_images"], scores["partial"]) == (2, 4, True)
    assert (scores["top1"], scores["real"]["accuracy"], scores["multilabel"]["images"]) == (1.0, 0.0, 1)
    assert scores["warnings"][0].startswith("Only 2 of 4 validation images")
    assert "2 of 4 images" in in_a_line(scores)
    rows = per_class(np.array([[2], [1]]), part).set_index("class_index")
    assert rows.loc[1, ["images", "validation_images"]].tolist() == [1, 2]


LABELS = [0, 1, 2, 3, 4, 6, 7, 9] * 6


def warned(predictions: npt.NDArray[np.int64], labels: list[int] = LABELS) -> str:
    (warning,) = score(predictions, truth(labels), PLACE)["warnings"]
    return str(warning)


def test_rows_in_the_order_of_class_folders_are_warned_about() -> None:
    assert "ImageFolder.samples" in warned(np.sort(np.array(LABELS))[:, None])


def test_rows_in_the_order_of_names_as_text_are_warned_about() -> None:
    labels = np.random.default_rng(5).integers(0, CLASSES, 60)
    order = sorted(range(60), key=lambda place: str(place + 1))
    assert "sorted as text" in warned(labels[order][:, None], labels.tolist())


def test_a_shift_by_one_row_is_warned_about() -> None:
    labels = np.random.default_rng(5).integers(0, CLASSES, 60)
    assert "after its own" in warned(np.roll(labels, -1)[:, None], labels.tolist())


def test_shuffled_rows_are_warned_about() -> None:
    labels = np.random.default_rng(5).integers(0, CLASSES, 100)
    assert "shuffled" in warned(np.random.default_rng(6).permutation(labels)[:, None], labels.tolist())


def test_numbers_of_another_list_are_told_from_shuffled_rows() -> None:
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(1000), 20)
    guesses = np.where(rng.random(len(labels)) < 0.5, labels, rng.integers(0, 1000, len(labels)))
    of_another_list = rng.permutation(1000)[guesses]
    for top1, cause in ((of_another_list, "another list of classes"), (rng.permutation(guesses), "shuffled")):
        (warning,) = score(top1[:, None], many_classes(labels), PLACE)["warnings"]
        assert cause in warning
        assert ("shuffled" in warning) == (cause == "shuffled")


def test_labels_in_place_of_predictions_are_warned_about() -> None:
    assert "labels themselves" in warned(np.array(LABELS)[:, None])


def test_a_model_that_predicts_one_class_is_warned_about() -> None:
    assert "Only 1 of 10 classes" in warned(np.full((len(LABELS), 1), 9))


def test_the_best_prediction_in_the_last_column_is_warned_about() -> None:
    best_last = np.array([[(label + step) % CLASSES for step in (4, 3, 2, 1, 0)] for label in LABELS])
    assert "the last of the 5 predictions is the best one" in warned(best_last)


def test_a_good_model_is_not_warned_about() -> None:
    good = np.array([LABELS[1], *LABELS[1:]])
    assert score(good[:, None], truth(LABELS), PLACE)["warnings"] == []


NAMES = [f"{'aBcDeF'[index % 6]}-{999 - index}" for index in range(1000)]


def many_classes(labels: npt.NDArray[np.int64]) -> Truth:
    """Thousand classes, of which the ILSVRC2012 ID is 1000 less the index."""
    filenames = [f"v_{number}.JPEG" for number in range(1, len(labels) + 1)]
    wnids = [f"n{index:08}" for index in range(1000)]
    classes = pd.DataFrame({"class_index": range(1000), "original": range(1000), "wnid": wnids})
    table = classes.assign(words=NAMES, ilsvrc2012_id=1000 - classes["class_index"])
    expected = ValidationSet(filenames, filenames, wnids, range(1000))
    return Truth(filenames, labels, 1000, table, expected, None, None, labels)


@pytest.mark.parametrize(
    ("number_of", "remedy"),
    [
        (lambda label: sorted(range(1000), key=str).index(label), "sorted(range(1000), key=str)[prediction]"),
        (lambda label: sorted(range(1, 1001), key=str).index(label + 1), "sorted(range(1, 1001), key=str)"),
        (lambda label: sorted(range(1, 1001), key=str).index(1000 - label), "is an ilsvrc2012_id"),
        (lambda label: 1000 - label, "Map them to class_index"),
        (lambda label: sorted(NAMES, key=str.casefold).index(NAMES[label]), "Map them by labels/classes.csv"),
        (lambda label: sorted(NAMES).index(NAMES[label]), "Map them by labels/classes.csv"),
    ],
    ids=["indices as text", "labels from 1 as text", "IDs as text", "IDs, 1000 among them", "names", "capitals first"],
)
def test_a_numbering_of_a_weak_model_is_told_how_it_is_mapped_back(number_of, remedy: str) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(4)
    labels = np.append(rng.integers(0, 1000, 1999), 0)
    guesses = np.where(rng.random(2000) < 0.15, labels, rng.integers(0, 1000, 2000))
    guesses[-1] = 0
    top1 = np.array([[number_of(int(label))] for label in guesses])
    with pytest.raises(PrepError) as caught:
        score(top1, many_classes(labels), PLACE)
    assert remedy in caught.value.remedy
    assert "ubtract" not in caught.value.remedy


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


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
            "file_name": [f"v_{number}.JPEG" for number in range(1, len(rows) + 1)],
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
    answer = replace(many_classes(np.array(labels, np.int64)), real=of_rows, multilabel=table)
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
