"""Figures of many values, gathered some at a time: histograms, and the map of where boxes lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Edges = npt.NDArray[np.floating[Any]]

_BINS = 50
_TAIL = 0.0025  # the share of the values at each end that is put into one bin
_STEPS = (1, 2, 5)
_TO = "\u2013"  # an en dash


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram.

    Attributes:
        start: its lower edge, as a number of the quantity.
        label: the values in it, for people.
        counts: how many they are, a number a series.
    """

    start: float
    label: str
    counts: list[int]


@dataclass
class Histogram:
    """How often values occur, in several series that are shown together.

    Attributes:
        unit: the resolution. With 1 the values are whole numbers, and a bin is labelled by its first and last one.
        limit: the largest value, in units; what is above counts as this.
        counts: int64 of shape (limit + 1,) by series.
    """

    unit: float
    limit: int
    counts: dict[str, Counts] = field(default_factory=dict)

    def add(self, series: str, values: npt.NDArray[Any]) -> None:
        """Count some values, shape (n,), none negative."""
        units = np.minimum(np.floor(values / self.unit + 1e-9), self.limit).astype(np.int64)
        found = np.bincount(units, minlength=self.limit + 1)
        self.counts[series] = self.counts[series] + found if series in self.counts else found

    def bins(self) -> list[Bin]:
        """About fifty bins at the most; the first and the last one take in the rarest values at both ends."""
        total = np.sum(list(self.counts.values()), axis=0)
        if not self.counts or not total.any():
            return []
        share = np.cumsum(total) / total.sum()
        low, high = (int(np.searchsorted(share, edge)) for edge in (_TAIL, 1 - _TAIL))
        step = _round_up((high - low + 1) / _BINS)
        first, last = low // step, high // step
        edges = np.arange(first, last + 1) * step
        found = [np.add.reduceat(counts, [0, *edges[1:]]).tolist() for counts in self.counts.values()]
        used = np.flatnonzero(total)
        return [
            Bin(
                float(edge * self.unit),
                self._label(
                    int(edge),
                    step,
                    below=i == 0 and used[0] < edge,
                    above=i + 1 == len(edges) and used[-1] >= edge + step,
                ),
                [counts[i] for counts in found],
            )
            for i, edge in enumerate(edges)
        ]

    def _label(self, edge: int, step: int, *, below: bool, above: bool) -> str:
        start, end = _shown(edge * self.unit), _shown((edge + step) * self.unit)
        if below and above:
            return "all"
        if below:
            return f"below {end}"
        if above:
            return f"{start} and more"
        if self.unit == 1:
            return start if step == 1 else f"{start}{_TO}{edge + step - 1}"
        return f"{start}{_TO}{end}"


@dataclass
class Coverage:
    """How many boxes cover which part of their images.

    Attributes:
        cells: of the grid along each side.
        boxes: how many were added.
    """

    cells: int
    boxes: int = 0

    def __post_init__(self) -> None:
        self._steps = np.zeros((self.cells + 1, self.cells + 1), np.int64)

    def add(self, xmin: Edges, ymin: Edges, xmax: Edges, ymax: Edges) -> None:
        """Add boxes by their edges, floats of shape (n,), 0 ... 1 of the image."""
        left, top = (np.ceil(edge * self.cells - 0.5).astype(np.int64) for edge in (xmin, ymin))
        right, bottom = (np.floor(edge * self.cells - 0.5).astype(np.int64) + 1 for edge in (xmax, ymax))
        # A box adds 1 from its upper left corner on and takes it back behind each edge: sums over the grid fill it in.
        thin = (right <= left) | (bottom <= top)  # it covers no cell's centre
        for x, y, sign in ((left, top, 1), (right, top, -1), (left, bottom, -1), (right, bottom, 1)):
            np.add.at(self._steps, (y[~thin], x[~thin]), sign)
        self.boxes += len(left)

    def shares(self) -> npt.NDArray[np.float64]:
        """The share of the boxes that cover each cell's centre, shape (cells, cells), row by row from the top."""
        covered = self._steps.cumsum(0).cumsum(1)[: self.cells, : self.cells]
        return covered / max(self.boxes, 1)


def _round_up(step: float) -> int:
    scale = 1
    while True:
        for factor in _STEPS:
            if factor * scale >= step:
                return factor * scale
        scale *= 10


def _shown(value: float) -> str:
    return f"{round(value, 6):.10g}"
