"""Scores of a model's predictions on the validation set, by the original, the ReaL and the multi-label annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from imagenet_prep.datasets.classes import image_number, numbered_wnids, select_classes, validation_labels
from imagenet_prep.datasets.devkit import Devkit
from imagenet_prep.datasets.real_labels import read_real_labels
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

Indices = npt.NDArray[np.int64]
Verdicts = npt.NDArray[np.bool_]

_HIGH, _LOW = 0.2, 0.05


@dataclass(frozen=True)
class Truth:
    """What is right, for the validation images in use, in image order.

    Attributes:
        filenames: their names.
        labels: original labels as indices, int64 of shape (n,).
        devkit_ids: the same as ILSVRC2012 IDs, int64 of shape (n,).
        numbers: indices go from 0 to one less.
        classes: the classes in use (pandas): index, wnid, words.
        real: ReaL labels, a list of indices an image, or None where they are not in use.
        multilabel: the table of multi-label annotations (pandas), or None.
    """

    filenames: list[str]
    labels: Indices
    devkit_ids: Indices
    numbers: int
    classes: pd.DataFrame
    real: list[list[int]] | None
    multilabel: pd.DataFrame | None

    @classmethod
    def load(cls, devkit: Devkit, choice: Mapping[str, Any], real: Sequence[str], multilabel: Sequence[str]) -> Truth:
        """Gather it.

        Args:
            devkit: the whole one.
            choice: the arguments of `select_classes`.
            real: the path of real.json, or nothing.
            multilabel: the path of the table of multi-label annotations, or nothing.
        """
        classes = select_classes(devkit.synsets, **choice)
        every = select_classes(devkit.synsets, None, "original")
        images = validation_labels(devkit.ground_truth, devkit.synsets, classes).to_pydict()
        here = dict(zip(classes["wnid"].to_pylist(), classes["class_index"].to_pylist(), strict=True))
        wnids = every["wnid"].to_pylist()
        judged = None
        if real:
            lists = read_real_labels(Path(*real), len(devkit.ground_truth), len(wnids))
            rows = [lists[image_number(filename) - 1] for filename in images["filename"]]
            judged = [[here[wnids[label]] for label in row if wnids[label] in here] for row in rows]
        return cls(
            filenames=images["filename"],
            labels=np.array(images["class_index"], np.int64),
            devkit_ids=np.array([-1 if it is None else it for it in images["ilsvrc2012_id"]], np.int64),
            numbers=len(numbered_wnids(devkit.synsets, **choice)),
            classes=classes.to_pandas(),
            real=judged,
            multilabel=parquet.read(Path(*multilabel)).to_pandas() if multilabel else None,
        )


def score(predictions: Indices, truth: Truth, place: Path) -> dict[str, Any]:
    """All scores, as shares from 0 to 1 with the number of images that each is made of.

    Args:
        predictions: shape (n, k), best first.
        truth: what is right.
        place: the file of the predictions, for messages.

    Raises:
        PrepError: the predictions are in another numbering, or some are no index.
    """
    top1 = predictions[:, 0]
    right = top1 == truth.labels
    _expect_this_numbering(top1, truth, place)  # first: other numberings go outside of the range, too
    _expect_indices(predictions, truth, place)
    result: dict[str, Any] = {"images": len(right), "top1": _share(right)}
    if predictions.shape[1] >= 5:
        result["top5"] = _share((predictions[:, :5] == truth.labels[:, None]).any(axis=1))
    result["mean_per_class"] = mean_over_classes(right, truth.labels)
    if truth.real is not None:
        judged = [index in labels for index, labels in zip(top1.tolist(), truth.real, strict=True) if labels]
        result["real"] = {"accuracy": _share(np.array(judged, np.bool_)), "images": len(judged)}
    if truth.multilabel is not None:
        result |= _multilabel(top1, truth)
    return result


def mean_over_classes(right: Verdicts, labels: Indices) -> float | None:
    """The mean of the classes' accuracies; classes without an image do not count. None without any image."""
    if not len(labels):
        return None
    counts = np.bincount(labels)
    hits = np.bincount(labels, weights=right)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def per_class(predictions: Indices, truth: Truth) -> pd.DataFrame:
    """A row a class: index, wnid, words, images, top1, top5 (accuracies) and what it is most often taken for."""
    top1 = predictions[:, 0]
    rows = []
    for entry in truth.classes.to_dict("records"):
        of_class = truth.labels == entry["class_index"]
        wrong = top1[of_class & (top1 != truth.labels)]
        taken, times = np.unique(wrong, return_counts=True)
        five = (predictions[of_class, :5] == entry["class_index"]).any(axis=1) if predictions.shape[1] >= 5 else None
        rows.append(
            {
                "class_index": entry["class_index"],
                "wnid": entry["wnid"],
                "words": entry["words"],
                "images": int(of_class.sum()),
                "top1": _share(top1[of_class] == entry["class_index"]),
                "top5": None if five is None else _share(five),
                "taken_for": int(taken[times.argmax()]) if len(taken) else None,
                "times": int(times.max()) if len(taken) else 0,
            }
        )
    return pd.DataFrame(rows).astype({"taken_for": "Int64"})


def _multilabel(top1: Indices, truth: Truth) -> dict[str, Any]:
    """Multi-label accuracy as its authors define it, and the images of ImageNet-M that are still wrong.

    Problematic images are left out; a prediction among the correct or the unclear labels is right; the accuracy is the
    mean over the classes of the original labels.
    """
    assert truth.multilabel is not None
    predicted = dict(zip(truth.filenames, top1.tolist(), strict=True))
    table = truth.multilabel
    pairs = zip(table["correct_multi_labels"], table["unclear_multi_labels"], strict=True)
    accepted = zip(table["file_name"], [{*correct, *unclear} for correct, unclear in pairs], strict=True)
    right: Verdicts = np.array([predicted[name] in labels for name, labels in accepted], np.bool_)
    counted: Verdicts = np.logical_not(table["is_problematic"].to_numpy(np.bool_))
    labels = table["original_label"].to_numpy(np.int64)
    hard: Verdicts = table["imagenet_m"].to_numpy(np.bool_)
    wrong = table.loc[hard & ~right, "file_name"].tolist()
    return {
        "multilabel": {"accuracy": mean_over_classes(right[counted], labels[counted]), "images": int(counted.sum())},
        "imagenet_m": {"wrong": len(wrong), "images": int(hard.sum()), "wrong_images": wrong},
    }


def _expect_this_numbering(top1: Indices, truth: Truth, place: Path) -> None:
    """Raise where the predictions are nearly all wrong, and mostly right in another numbering."""
    if not len(top1) or (top1 == truth.labels).mean() > _LOW:
        return
    devkit = truth.devkit_ids
    others = {
        "labels that begin with 1 (tf_label of labels/classes.csv): subtract 1": truth.labels + 1,
        "ILSVRC2012 IDs of the devkit (ilsvrc2012_id of labels/classes.csv): map them to class_index": devkit,
        "ILSVRC2012 IDs of the devkit less 1: add 1, then map them by labels/classes.csv to class_index": devkit - 1,
    }
    for remedy, labels in others.items():
        share = (top1 == labels).mean()
        if share > max(_HIGH, 4 / truth.numbers):  # four times what guessing gives, where there are few classes
            numbering, _, mend = remedy.partition(": ")
            raise PrepError(
                place,
                f"{(top1 == truth.labels).mean():.1%} of the predictions are right as 0-based indices, "
                f"but {share:.1%} if they are {numbering}",
                mend.capitalize(),
            )


def _expect_indices(predictions: Indices, truth: Truth, place: Path) -> None:
    """Raise where a prediction is no index."""
    outside = (predictions < 0) | (predictions >= truth.numbers)
    if outside.any():
        row = int(np.flatnonzero(outside.any(axis=1))[0])
        value = int(predictions[row][outside[row]][0])
        raise PrepError(
            place,
            f"{truth.filenames[row]} is predicted as {value}, and indices go from 0 to {truth.numbers - 1}",
            "Write class_index of labels/classes.csv, which has every numbering: a tf_label is one more, "
            "an ilsvrc2012_id has to be looked up",
        )


def _share(right: Verdicts) -> float | None:
    return float(right.mean()) if len(right) else None
