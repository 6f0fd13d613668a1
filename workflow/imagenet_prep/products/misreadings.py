"""What predictions that are nearly all wrong may mean: another numbering, another order of rows or columns.

Each reading that people's programs lead to is compared with the truth. If one makes a good model of a bad one, that is
no accident: of 50 000 images a wrong reading has about 50 right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

_CLEAR = 3  # times as many images have to be right in another reading as in the given one
_LEAST, _SIGMAS = 0.02, 6  # the share that has to be right, and standard deviations above guessing
_AT_CHANCE = 0.01  # the share below which predictions are no better than guessing, however many classes there are


@dataclass(frozen=True)
class Classes:
    """The k classes in use by every numbering, each int64 of shape (k,), in the order of the WNIDs.

    Attributes:
        indices: class indices, as the configuration numbers.
        original: class indices in the whole set.
        devkit_ids: ILSVRC2012 IDs; None where there is no devkit.
        words: the words of each class.
        numbers: how many class indices there are: they go from 0 to `numbers - 1`.
        total: how many classes the whole set has.
    """

    indices: Indices
    original: Indices
    devkit_ids: Indices | None
    words: Sequence[str]
    numbers: int
    total: int


@dataclass(frozen=True)
class Reading:
    """One way to understand a file.

    Attributes:
        share: the share of the predictions that is right in this reading, 0 to 1.
        numbering: what the numbers are, in words; "" for class indices.
        mend: what to do about the numbering, in words.
        rows: what the order of the rows is, in words; "" for that of the images.
        column: which column holds the best prediction, in words; "" for the first.
    """

    share: float
    numbering: str = ""
    mend: str = ""
    rows: str = ""
    column: str = ""

    def __str__(self) -> str:
        return " and ".join(filter(None, (self.column, self.rows, self.numbering)))


def best_reading(predictions: Indices, labels: Indices, image_numbers: Indices, classes: Classes) -> Reading | None:
    """The reading in which far more predictions are right than as they stand; None where there is none.

    Args:
        predictions: int64 of shape (n, k), best first, in image order.
        labels: the right class indices, int64 of shape (n,).
        image_numbers: the numbers of the images, from 1, int64 of shape (n,), ascending.
        classes: the numbers of the classes in use.
    """
    count = len(labels)
    if not count or classes.numbers < 2:
        return None
    right = float((predictions[:, 0] == labels).mean())
    place = np.searchsorted(classes.indices, labels)
    columns = [("", 0)]
    if predictions.shape[1] > 1:
        columns.append((f"the last of the {predictions.shape[1]} predictions is the best one", -1))
    found = Reading(0.0)
    readings = itertools.product(columns, _row_orders(place, image_numbers, classes), _numberings(classes))
    for (column, at), (rows, order), (numbering, mend, numbers) in readings:
        share = float((predictions[:, at] == numbers[place[order]]).mean())
        if share > found.share:  # of equals the first, which is the simplest
            found = Reading(share, numbering, mend, rows, column)
    is_clear = found.share > max(_least(count, classes.numbers), _CLEAR * right)
    return found if is_clear and str(found) else None


def is_at_chance(right: float, count: int, numbers: int) -> bool:
    """Whether so small a part of `count` predictions is right that guessing would do as well, or below 1 %."""
    chance = 1 / numbers
    return numbers > 1 and right < max(_AT_CHANCE, chance + 3 * math.sqrt(chance * (1 - chance) / count))


def cause_of_chance(top1: Indices, labels: Indices, numbers: int) -> str:
    """The likely cause, as a sentence, of predictions that are no better than guessing in any reading."""
    there = len(np.unique(labels))
    is_class = (top1 >= 0) & (top1 < numbers)
    top1, labels = top1[is_class], labels[is_class]
    kinds = len(np.unique(top1))
    if kinds <= max(1, there // 10):
        return f"Only {kinds} of {numbers} classes are predicted: the model was not trained, or its weights not loaded"
    if _agreement(top1, labels) > _CLEAR * _agreement(top1, np.random.default_rng(0).permutation(labels)):
        return "Each number stands for a class, but of another list of classes: have what predicts write WNIDs"
    return (
        "The rows are likely to be shuffled, each beside another image (as by a DataLoader with shuffle=True), or the "
        "numbers are of another list of classes: have what predicts write the name of each image, and WNIDs"
    )


def _agreement(top1: Indices, labels: Indices) -> float:
    """The share of the predictions that would be right if each number stood for the label that it most often meets."""
    pairs, times = np.unique(np.stack([top1, labels]), axis=1, return_counts=True)
    most = np.zeros(pairs[0].max(initial=0) + 1, np.int64)
    np.maximum.at(most, pairs[0], times)
    return float(most.sum()) / max(1, len(top1))


def _least(count: int, numbers: int) -> float:
    """The share from which on it is no chance."""
    chance = 1 / numbers
    return max(_LEAST, chance + _SIGMAS * math.sqrt(chance * (1 - chance) / count))


def _numberings(classes: Classes) -> Iterable[tuple[str, str, Indices]]:
    """What the numbers may be, what to do, and the number of each class, in the order of the WNIDs."""
    total = classes.total
    yield "", "", classes.indices
    yield "labels that begin with 1 (tf_label of labels/classes.csv)", "subtract 1", classes.indices + 1
    ids = "ILSVRC2012 IDs of the devkit"
    look_up = "map them to class_index"
    if classes.devkit_ids is not None:
        yield f"{ids} (ilsvrc2012_id of labels/classes.csv)", look_up, classes.devkit_ids
        yield f"{ids} less 1", "add 1, then map them by labels/classes.csv to class_index", classes.devkit_ids - 1
    as_text = "ranks of {}, sorted as text (0, 1, 10, 100 …), as of class folders with these names"
    numbered = f"map them back: sorted(range({classes.numbers}), key=str)[prediction]"
    yield as_text.format("indices"), numbered, _ranks_as_text(classes.numbers, 0)[classes.indices]
    from_1 = f"map them back: sorted(range(1, {classes.numbers + 1}), key=str)[prediction] - 1"
    yield as_text.format("labels that begin with 1"), from_1, _ranks_as_text(classes.numbers, 1)[classes.indices]
    if classes.devkit_ids is not None:
        to_ids = f"map them back: sorted(range(1, {total + 1}), key=str)[prediction] is an ilsvrc2012_id"
        yield as_text.format(ids), to_ids, _ranks_as_text(total, 1)[classes.devkit_ids - 1]
    count = len(classes.words)
    if count == classes.numbers:
        for order, words in (("", [it.casefold() for it in classes.words]), (", capitals first", classes.words)):
            ranks = np.empty(count, np.int64)
            ranks[sorted(range(count), key=words.__getitem__)] = range(count)
            by_name = f"ranks of the classes sorted by name{order}"
            yield by_name, "map them by labels/classes.csv to class_index", ranks
    if not np.array_equal(classes.original, classes.indices):
        yield "indices of the whole set", "subset_labels: original has these, or map them", classes.original
    if len(classes.indices) < classes.numbers:
        yield "numbers of the classes in use alone", "subset_labels: renumbered has these", np.arange(count)


def _ranks_as_text(count: int, first: int) -> Indices:
    """For each of `count` numbers its rank among all of them as texts."""
    ranks = np.empty(count, np.int64)
    ranks[sorted(range(count), key=lambda it: str(it + first))] = range(count)
    return ranks


def _row_orders(place: Indices, image_numbers: Indices, classes: Classes) -> Iterable[tuple[str, npt.NDArray[np.intp]]]:
    """What the order of the rows may be, and the image of each row."""
    count = len(place)
    folders = "the rows are in the order of class folders named by {} (as ImageFolder.samples has them)"
    yield "", np.arange(count)
    yield folders.format("WNID"), np.argsort(place, kind="stable")
    for what, names in (
        ("index", classes.indices),
        ("labels that begin with 1", classes.indices + 1),
        ("ILSVRC2012 ID", classes.devkit_ids),
    ):
        if names is None:
            continue
        ranks = np.empty(len(names), np.int64)
        ranks[sorted(range(len(names)), key=lambda it: str(names[it]))] = range(len(names))
        yield folders.format(what), np.argsort(ranks[place], kind="stable")
    if classes.devkit_ids is not None:
        yield "the rows are ordered by ILSVRC2012 ID", np.argsort(classes.devkit_ids[place], kind="stable")
    texts = [str(it) for it in image_numbers.tolist()]
    yield (
        "the rows are ordered by the numbers of the images, sorted as text",
        np.array(sorted(range(count), key=texts.__getitem__), np.intp),
    )
    yield "the rows are in reverse order", np.arange(count)[::-1]
    yield "each row is of the image after its own", np.roll(np.arange(count), -1)
    yield "each row is of the image before its own", np.roll(np.arange(count), 1)
