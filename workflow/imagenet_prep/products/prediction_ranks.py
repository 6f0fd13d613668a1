"""The best classes of each image from a file's numbers: class indices as they are, scores by rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imagenet_prep.products.prediction_cells import BadCell, Numbers
from imagenet_prep.progress import grouped

BEST = 5

_LARGEST = 2.0**53  # from here on float64 does not hold every whole number


class Ranks:
    """Gathers the best classes of the images, block by block. Only after the last is it known whether they are scores.

    Args:
        numbers: how many class indices there are: they go from 0 to `numbers - 1`.
        in_use: the indices of the classes in use, ascending.
        whole: the index of each class of the whole set, in the order of the WNIDs; negative for one without an index.

    Attributes:
        warnings: sentences about what could not be ranked.
    """

    def __init__(self, numbers: int, in_use: Sequence[int], whole: Sequence[int]) -> None:
        self._numbers = numbers
        # By the number of scores an image, the classes that they are of; where two numbers are equal, the last counts.
        every = list(range(numbers))
        self._with_background = numbers + 1
        self._classes = {numbers + 1: every, len(whole): list(whole), len(in_use): list(in_use), numbers: every}
        if numbers + 1 in (len(whole), len(in_use)):
            self._with_background = 0
        self._first: list[Numbers] = []
        self._best: list[npt.NDArray[np.int64]] = []
        self._width = 0
        self._are_whole = True
        self._are_distinct = True
        self._ties = np.zeros(3, np.int64)
        self.warnings: list[str] = []

    def add(self, block: Numbers) -> None:
        """Take the next rows, float64 of shape (n, k).

        Raises:
            BadCell: one of the numbers is none.
        """
        width = block.shape[1]
        if self._width not in (0, width):
            raise BadCell(-1, f"its lists have {sorted((self._width, width))} entries")
        self._width = width
        if np.isnan(block).any():
            problem = "NaN, or empty" if self._is_one_a_class() else "empty or no whole number"
            raise BadCell(int(np.flatnonzero(np.isnan(block).any(axis=1))[0]), problem)
        whole = ((np.abs(block) < _LARGEST) & (block == np.round(block))).all(axis=1)
        self._are_whole &= bool(whole.all())
        if not self._are_whole and not self._is_one_a_class():
            raise BadCell(int(np.flatnonzero(~whole)[0]), self._no_whole_number())
        self._first.append(block[:, :BEST].copy())
        if self._is_one_a_class():
            self._are_distinct &= self._are_whole and _are_distinct(block, self._numbers)
            # TensorFlow's models have a score of a background before the others.
            scores = block[:, 1:] if width == self._with_background else block
            order = np.argsort(-scores, axis=1, kind="stable")[:, : 2 * BEST]
            self._ties += _ties(np.take_along_axis(scores, order, axis=1))
            self._best.append(order[:, :BEST].copy())  # a view would keep all of it

    def drop_header(self) -> int:
        """Forget the first row where it is a line of the columns' numbers; return how many rows that are."""
        if self._width < 2 or self._first[0][0].tolist() != list(range(min(BEST, self._width))):
            return 0
        self._first[0] = self._first[0][1:]
        self._best[:1] = [it[1:] for it in self._best[:1]]
        return 1

    def are_scores(self, are_wnids: bool) -> bool:
        """Whether the numbers are scores, one a class: neither WNIDs nor whole numbers that can be indices."""
        if are_wnids or not self._is_one_a_class():
            return False
        return not self._are_whole or (self._width > BEST and not self._are_distinct)

    def indices(self) -> tuple[npt.NDArray[np.int64], str]:
        """The numbers as indices, best first, shape (n, up to 5), and how they were taken."""
        found = np.concatenate(self._first).astype(np.int64)
        if self._width == 1:
            return found, "indices, the best of each image"
        return found, f"indices, best first{f', {BEST} of {self._width}' if self._width > BEST else ''}"

    def ranked(self) -> tuple[npt.NDArray[np.int64], str]:
        """The classes with the best scores, shape (n, up to 5), and how they were found."""
        best = self._less_ties(np.concatenate(self._best))
        words = f"scores of {grouped(self._width)} classes, ranked"
        if self._width == self._with_background:
            return best, f"{words}, the first left out, which is of a background"
        return np.array(self._classes[self._width], np.int64)[best], words

    def _is_one_a_class(self) -> bool:
        return self._width > 1 and self._width in self._classes

    def _less_ties(self, best: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        count = grouped(len(best))
        first, fifth, many = (int(it) for it in self._ties)
        if first:
            of = f"{grouped(first)} of {count} images"
            self.warnings.append(f"In {of} several classes share the best score; the one of the lowest index is taken")
        if many > 0.01 * len(best):
            of = f"{grouped(many)} of {count} images"
            self.warnings.append(f"There is no top-5: in {of} the scores do not tell which the five best classes are")
            return best[:, :1]
        if fifth:
            of = f"{grouped(fifth)} of {count} images"
            self.warnings.append(f"In {of} a few classes share the fifth best score; that of the lowest index is taken")
        return best

    def _no_whole_number(self) -> str:
        if self._width == 1:
            return "empty or no whole number"
        return f"no whole number, and {grouped(self._width)} numbers are no scores of {grouped(self._numbers)} classes"


def _are_distinct(block: Numbers, numbers: int) -> bool:
    """Whether each row of whole numbers can be a list of indices."""
    ascending = np.sort(block, axis=1)
    in_range = ascending[:, 0] >= 0, ascending[:, -1] < numbers
    return bool((np.diff(ascending, axis=1) > 0).all() and np.logical_and(*in_range).all())


def _ties(ordered: Numbers) -> npt.NDArray[np.int64]:
    """In how many rows of the best scores several classes share the first, the fifth, and many the fifth.

    A few do by rounding, as in half precision: which of them is taken hardly matters. Many do where all but the best
    were set to nothing.
    """
    fifth = ordered[:, BEST - 1 : BEST]
    shared = [
        ordered[:, :1] == ordered[:, 1:2],
        fifth == ordered[:, BEST : BEST + 1],
        fifth == ordered[:, BEST:][:, -1:],
    ]
    return np.array([it.sum() for it in shared], np.int64)
