"""Batches: every unit in exactly one, those that were made stay, and what they are called says which units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.engine import batches
from imagenet_prep.engine.batches import Batch, cover

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def disjoint(total: int) -> st.SearchStrategy[list[Batch]]:
    """Batches that do not overlap, as finished jobs of any sizes leave them."""
    edges = st.lists(st.integers(0, total), max_size=10, unique=True).map(sorted)
    return edges.flatmap(
        lambda cuts: st.lists(st.booleans(), min_size=len(cuts), max_size=len(cuts)).map(
            lambda keep: [(a, b - 1) for a, b, kept in zip(cuts, cuts[1:], keep, strict=False) if kept]
        )
    )


@given(st.integers(0, 50), st.integers(1, 20), PAIRS)
def test_every_unit_is_in_exactly_one_batch_whatever_is_kept(total: int, size: int, kept: list[Batch]) -> None:
    units = [unit for first, last in cover(total, size, kept) for unit in range(first, last + 1)]
    assert units == list(range(total))


@given(st.integers(1, 20), disjoint(50))
def test_batches_that_do_not_overlap_are_kept(size: int, kept: list[Batch]) -> None:
    assert set(kept) <= set(cover(50, size, kept))


@given(st.integers(1, 20), disjoint(50))
def test_new_batches_are_no_larger_than_asked_for(size: int, kept: list[Batch]) -> None:
    assert all(last - first < size for first, last in set(cover(50, size, kept)) - set(kept))


@given(st.integers(1, 20), st.integers(1, 20), disjoint(50))
def test_another_size_of_jobs_changes_nothing_that_was_made(size: int, other: int, kept: list[Batch]) -> None:
    made = cover(50, size, kept)
    assert cover(50, other, made) == made


def test_batches_are_cut_as_asked_for() -> None:
    assert cover(10, 4, []) == [(0, 3), (4, 7), (8, 9)]


def test_a_deleted_batch_is_cut_anew_between_its_neighbours() -> None:
    assert cover(10, 2, [(0, 3), (8, 9)]) == [(0, 3), (4, 5), (6, 7), (8, 9)]


def test_a_name_is_read_back() -> None:
    name = batches.name("train", (8, 15), 1024)
    assert name == "train-00008-00015-of-01024"
    assert batches.parse(name) == ("train", (8, 15), 1024)
    assert batches.units_of("00008-00015-of-01024") == (8, 15)


@pytest.mark.parametrize("text", ["train", "tfrecord-train", "00008-00015-of-01024", "train-00008-of-01024"])
def test_what_names_no_batch_says_nothing(text: str) -> None:
    assert batches.parse(text) is None


def test_units_of_what_names_no_batch_are_an_error() -> None:
    with pytest.raises(ValueError, match="names no batch"):
        batches.units_of("train")


@pytest.mark.parametrize(
    ("first", "last", "shared"), [(0, 7, False), (0, 8, True), (10, 11, True), (15, 20, True), (16, 20, False)]
)
def test_batches_overlap_where_they_share_a_unit(first: int, last: int, shared: bool) -> None:
    assert batches.overlap((8, 15), (first, last)) is shared
