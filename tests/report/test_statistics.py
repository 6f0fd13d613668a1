"""Histograms and the map of boxes, held against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.report.statistics import Coverage, Histogram

values = st.lists(st.integers(0, 5000), min_size=1, max_size=200)


@given(parts=st.lists(values, min_size=1, max_size=3), other=values)
def test_a_histogram_counts_each_value_once_in_about_fifty_bins(parts: list[list[int]], other: list[int]) -> None:
    histogram = Histogram(1, 1 << 16)
    for part in parts:
        histogram.add("train", np.array(part))
    histogram.add("validation", np.array(other))
    bins = histogram.bins()
    assert [sum(column) for column in zip(*(it.counts for it in bins), strict=True)] == [
        sum(map(len, parts)),
        len(other),
    ]
    assert len(bins) <= 52
    starts = [it.start for it in bins]
    assert starts == sorted(set(starts))


def test_a_bin_holds_the_values_that_its_label_says() -> None:
    histogram = Histogram(1, 1 << 16)
    histogram.add("train", np.arange(1000))
    for it in histogram.bins():
        first, _, last = it.label.partition("\u2013")
        if last:
            assert it.counts == [int(last) - int(first) + 1]


def test_the_rarest_values_are_taken_together_at_the_ends() -> None:
    histogram = Histogram(1, 1 << 16)
    histogram.add("train", np.array([1, *[500] * 998, 9999]))
    first, last = histogram.bins()[0], histogram.bins()[-1]
    assert (first.label, last.label) == ("all", "all")
    histogram.add("train", np.repeat(np.arange(450, 550), 100))
    labels = [it.label for it in histogram.bins()]
    assert labels[0].startswith("below ")
    assert labels[-1].endswith(" and more")


def test_quantities_that_are_no_whole_numbers_are_told_apart_by_their_unit() -> None:
    histogram = Histogram(0.01, 1000)
    histogram.add("train", np.array([1.33, 1.5, 1.5]))
    assert sum(it.counts[0] for it in histogram.bins()) == 3
    assert histogram.counts["train"][[133, 150]].tolist() == [1, 2]


def test_a_histogram_of_nothing_has_no_bins() -> None:
    assert Histogram(1, 10).bins() == []


@given(
    edges=st.lists(
        st.tuples(*[st.floats(0, 1)] * 4).map(
            lambda it: (min(it[0], it[1]), min(it[2], it[3]), max(it[0], it[1]), max(it[2], it[3]))
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_map_says_how_many_boxes_hold_the_centre_of_each_cell(edges: list[tuple[float, ...]]) -> None:
    cells = 8
    coverage = Coverage(cells)
    coverage.add(*(np.array(column) for column in zip(*edges, strict=True)))
    counts = np.rint(coverage.shares() * len(edges))
    for y in range(cells):
        for x in range(cells):
            centre = np.array([x, y]) + 0.5
            inside = sum(
                left * cells <= centre[0] <= right * cells and top * cells <= centre[1] <= bottom * cells
                for left, top, right, bottom in edges
            )
            assert counts[y, x] == inside


def test_a_map_of_no_boxes_is_empty() -> None:
    assert Coverage(4).shares() == pytest.approx(np.zeros((4, 4)))
