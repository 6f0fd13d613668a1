"""Batches: every unit in exactly one, those that were made stay, and receipts that do not hold go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep import batches
from imagenet_prep.batches import Batch, cover

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
    assert batches.parse(name) == batches.parse("00008-00015-of-01024") == (8, 15)


def test_a_text_that_names_no_batch_is_an_error() -> None:
    with pytest.raises(ValueError, match="names no batch"):
        batches.parse("train")


@pytest.mark.parametrize(
    ("first", "last", "shared"), [(0, 7, False), (0, 8, True), (10, 11, True), (15, 20, True), (16, 20, False)]
)
def test_batches_overlap_where_they_share_a_unit(first: int, last: int, shared: bool) -> None:
    assert batches.overlaps(Path("train-00008-00015-of-00100.json"), first, last) is shared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "train-00000-00003-of-00008",
        "train-00004-00007-of-00008",
        "train-00000-00003-of-00004",
        "train_t3-00000-00000-of-00008",
        "validation-00000-00007-of-00008",
        "train",
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": name}))
    (tmp_path / "train-notes.json").write_text("{}")
    return tmp_path


def test_the_receipts_of_a_split_are_those_of_its_total(folder: Path) -> None:
    assert batches.receipts(folder, "train", 8) == {
        (0, 3): folder / "train-00000-00003-of-00008.json",
        (4, 7): folder / "train-00004-00007-of-00008.json",
    }


def test_a_folder_that_is_not_there_has_no_receipts(tmp_path: Path) -> None:
    assert batches.receipts(tmp_path / "none", "train", 8) == {}
    assert batches.revoke(tmp_path / "none", lambda path, content: True) == []


def test_removing_others_leaves_those_to_keep_and_what_is_no_batch(folder: Path) -> None:
    batches.remove_others(folder, "train", [folder / "train-00000-00003-of-00008.json"])
    assert {path.stem for path in folder.iterdir()} == {
        "train-00000-00003-of-00008",
        "train_t3-00000-00000-of-00008",
        "validation-00000-00007-of-00008",
        "train",
        "train-notes",
    }


def test_receipts_that_do_not_hold_are_revoked(folder: Path) -> None:
    void = batches.revoke(folder, lambda path, content: content.get("name") != "train")
    assert void == [folder / "train.json"]
    assert not void[0].exists()
    assert len(list(folder.iterdir())) == 6
