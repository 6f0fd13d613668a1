"""Scores of a model's predictions on the validation set, by the original, the ReaL and the multi-label annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from imagenet_prep.products import misreadings
from imagenet_prep.products.predictions import Predictions, ValidationSet
from imagenet_prep.progress import grouped

Indices = npt.NDArray[np.int64]
Verdicts = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """The right labels of validation images, in image order.

    Attributes:
        filenames: their names.
        labels: original labels as indices, int64 of shape (n,).
        numbers: how many class indices there are: they go from 0 to `numbers - 1`.
        classes: the classes in use (pandas): class_index, wnid, words, ilsvrc2012_id, and `original`, their indices in
            the whole set.
        validation_set: what predictions can be about.
        real: ReaL labels, a list of indices an image, or None where they are not in use.
        multilabel: the table of multi-label annotations (pandas), or None.
        of_all: the labels of all validation images in use, where these are a part of them.
    """

    filenames: list[str]
    labels: Indices
    numbers: int
    classes: pd.DataFrame
    validation_set: ValidationSet
    real: list[list[int]] | None
    multilabel: pd.DataFrame | None
    of_all: Indices

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
        numbered = numbered_wnids(devkit.synsets, **choice)
        judged = None
        if real:
            lists = read_real_labels(Path(*real), len(devkit.ground_truth), len(wnids))
            rows = [lists[image_number(filename) - 1] for filename in images["filename"]]
            judged = [[here[wnids[label]] for label in row if wnids[label] in here] for row in rows]
        original = {wnid: index for index, wnid in enumerate(wnids)}
        table: pd.DataFrame = classes.to_pandas()
        labels = np.array(images["class_index"], np.int64)
        return cls(
            filenames=images["filename"],
            labels=labels,
            numbers=len(numbered),
            classes=table.assign(original=[original[wnid] for wnid in table["wnid"]]),
            validation_set=ValidationSet(
                filenames=images["filename"],
                every=validation_labels(devkit.ground_truth, devkit.synsets, every)["filename"].to_pylist(),
                wnids=numbered,
                in_use=table["class_index"].tolist(),
                others=[it for it in wnids if it not in set(numbered)],
            ),
            real=judged,
            multilabel=parquet.read(Path(*multilabel)).to_pandas() if multilabel else None,
            of_all=labels,
        )

    def part(self, images: Indices) -> Truth:
        """The truth of the images at these places, int64 of shape (n,), ascending."""
        if len(images) == len(self.filenames):
            return self
        filenames = [self.filenames[it] for it in images]
        table = self.multilabel
        return replace(
            self,
            filenames=filenames,
            labels=self.labels[images],
            real=None if self.real is None else [self.real[it] for it in images],
            multilabel=None if table is None else table.loc[table["file_name"].isin(filenames)],
        )


def score(predictions: Indices, truth: Truth, place: Path, *, are_indices: bool = False) -> dict[str, Any]:
    """All scores, as shares from 0 to 1 with the number of images that each is made of.

    One that there is none of is None, and `notes` has by its name the sentence that says why.

    Args:
        predictions: shape (n, k), best first.
        truth: what is right for these images.
        place: the file of the predictions, for messages.
        are_indices: whether they are indices for sure.

    Raises:
        PrepError: the predictions are in another numbering, or some are no index.
    """
    top1 = predictions[:, 0]
    right = top1 == truth.labels
    warnings = _warnings(predictions, truth, place)  # first: other numberings go outside of the range, too
    if not are_indices:
        _expect_indices(predictions, truth, place)
    notes = {}
    if not len(right):
        notes["top1"] = notes["mean_per_class"] = "there is no validation image of the classes in use"
    top5 = None
    if predictions.shape[1] >= 5:
        top5 = _share((predictions[:, :5] == truth.labels[:, None]).any(axis=1))
    else:
        notes["top5"] = f"fewer than five classes of each image are known: {predictions.shape[1]}"
    count, of_all = len(right), len(truth.of_all)
    if count < of_all:
        warnings.insert(
            0, f"Only {grouped(count)} of {grouped(of_all)} validation images are predicted: no score of the whole set"
        )
    return {
        "images": count,
        "validation_images": of_all,
        "partial": count < of_all,
        "top1": _share(right),
        "top5": top5,
        "mean_per_class": mean_over_classes(right, truth.labels),
        **_real(top1, truth, notes),
        **_multilabel(top1, truth, notes),
        "notes": notes,
        "warnings": warnings,
    }


def all_scores(model: str, place: Path, predictions: Predictions, truth: Truth) -> dict[str, Any]:
    """What `<model>.json` holds: the scores, of what, and how the file was read; raises as `score`.

    Args:
        model: its name.
        place: the file of its predictions.
        predictions: what is in there.
        truth: what is right for these images.
    """
    scores = score(predictions.indices, truth, place, are_indices=predictions.are_indices)
    scores["warnings"] += predictions.warnings
    return {"model": model, "predictions": place.name, "read_as": predictions.read_as, **scores}


def mean_over_classes(right: Verdicts, labels: Indices) -> float | None:
    """The mean of the classes' accuracies; classes without an image do not count. None without any image."""
    if not len(labels):
        return None
    counts = np.bincount(labels)
    hits = np.bincount(labels, weights=right)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def per_class(predictions: Indices, truth: Truth) -> pd.DataFrame:
    """A row a class: its names, its images (those predicted, and all), accuracies, and what it is mostly taken for."""
    top1 = predictions[:, 0]
    rows = []
    for entry in truth.classes.to_dict("records"):
        of_class = truth.labels == entry["class_index"]
        wrong = top1[of_class & (top1 != truth.labels)]
        taken, times = np.unique(wrong[wrong >= 0], return_counts=True)
        five = (predictions[of_class, :5] == entry["class_index"]).any(axis=1) if predictions.shape[1] >= 5 else None
        rows.append(
            {
                "class_index": entry["class_index"],
                "wnid": entry["wnid"],
                "words": entry["words"],
                "images": int(of_class.sum()),
                "validation_images": int((truth.of_all == entry["class_index"]).sum()),
                "top1": _share(top1[of_class] == entry["class_index"]),
                "top5": None if five is None else _share(five),
                "taken_for": int(taken[times.argmax()]) if len(taken) else None,
                "times": int(times.max()) if len(taken) else 0,
            }
        )
    return pd.DataFrame(rows).astype({"taken_for": "Int64"})


def _real(top1: Indices, truth: Truth, notes: dict[str, str]) -> dict[str, Any]:
    if truth.real is None:
        notes["real"] = "the ReaL labels (real_labels) are not in use"
        return {"real": None}
    judged = [index in labels for index, labels in zip(top1.tolist(), truth.real, strict=True) if labels]
    if not judged:
        notes["real"] = "none of these images has a ReaL label"
    return {"real": {"accuracy": _share(np.array(judged, np.bool_)), "images": len(judged)}}


def _multilabel(top1: Indices, truth: Truth, notes: dict[str, str]) -> dict[str, Any]:
    """Multi-label accuracy as its authors define it, and the images of ImageNet-M that are still wrong.

    Problematic images are left out; a prediction among the correct or the unclear labels is right; the accuracy is the
    mean over the classes of the original labels.
    """
    if truth.multilabel is None:
        notes["multilabel"] = notes["imagenet_m"] = "the multi-label annotations (multilabel) are not in use"
        return {"multilabel": None, "imagenet_m": None}
    predicted = dict(zip(truth.filenames, top1.tolist(), strict=True))
    table = truth.multilabel
    pairs = zip(table["correct_multi_labels"], table["unclear_multi_labels"], strict=True)
    accepted = zip(table["file_name"], [{*correct, *unclear} for correct, unclear in pairs], strict=True)
    right: Verdicts = np.array([predicted[name] in labels for name, labels in accepted], np.bool_)
    counted: Verdicts = np.logical_not(table["is_problematic"].to_numpy(np.bool_))
    labels = table["original_label"].to_numpy(np.int64)
    hard: Verdicts = table["imagenet_m"].to_numpy(np.bool_)
    wrong = table.loc[hard & ~right, "file_name"].tolist()
    if not counted.any():
        notes["multilabel"] = "none of these images has multi-label annotations without a problem"
    if not hard.any():
        notes["imagenet_m"] = "none of these images is in ImageNet-M"
    accuracy = mean_over_classes(right[counted], labels[counted])
    return {
        "multilabel": {"accuracy": accuracy, "images": int(counted.sum())},
        "imagenet_m": {
            "wrong": len(wrong) if hard.any() else None,
            "images": int(hard.sum()),
            "wrong_images": wrong,
        },
    }


def _warnings(predictions: Indices, truth: Truth, place: Path) -> list[str]:
    """What is odd of predictions that are nearly all wrong, in sentences.

    Raises:
        PrepError: they are mostly right in another numbering.
    """
    count, top1 = len(truth.labels), predictions[:, 0]
    if not count:
        return []
    right = float((top1 == truth.labels).mean())
    table = truth.classes
    classes = misreadings.Classes(
        indices=table["class_index"].to_numpy(np.int64),
        original=table["original"].to_numpy(np.int64),
        devkit_ids=None if table["ilsvrc2012_id"].hasnans else table["ilsvrc2012_id"].to_numpy(np.int64),
        words=table["words"].tolist(),
        numbers=truth.numbers,
        total=len(truth.validation_set.wnids) + len(truth.validation_set.others),
    )
    numbers = np.array([image_number(it) for it in truth.filenames], np.int64)
    other = misreadings.best_reading(predictions, truth.labels, numbers, classes)
    if other and other.numbering and not (other.rows or other.column):
        problem = f"{right:.1%} of the predictions are right as 0-based indices, but {other.share:.1%} if they are "
        raise PrepError(place, f"{problem}{other.numbering}", other.mend[0].upper() + other.mend[1:])
    if other:
        return [
            f"{right:.1%} of the predictions are right, but {other.share:.1%} if {other}: write the name of each image "
            "beside its predictions, the best of them first"
        ]
    if right == 1 and truth.numbers > 1 and count > truth.numbers:
        return ["All are right, as few models have them: make sure that these are not the labels themselves"]
    if misreadings.is_at_chance(right, count, truth.numbers):
        cause = misreadings.cause_of_chance(top1, truth.labels, truth.numbers)
        return [f"Top-1 is {right:.2%}, and guessing gives {1 / truth.numbers:.2%}. {cause}"]
    return []


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
