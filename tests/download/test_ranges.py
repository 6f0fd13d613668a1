"""How the missing parts of a file are kept and shared out."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.download import ranges

some_ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], sum(pair))))


@given(some_ranges)
def test_ranges_are_the_bytes_that_were_added(added: list[ranges.Range]) -> None:
    found: list[ranges.Range] = []
    for start, end in added:
        ranges.add(found, start, end)
    inside = {byte for start, end in added for byte in range(start, end)}
    assert [byte for start, end in found for byte in range(start, end)] == sorted(inside)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(found))
    assert {byte for start, end in ranges.gaps(found, 80) for byte in range(start, end)} == set(range(80)) - inside
    assert ranges.total(found) == len(inside)
    assert ranges.are_valid([list(pair) for pair in found], 80)


@given(some_ranges, st.integers(1, 5))
def test_every_missing_byte_is_handed_out_once(written: list[ranges.Range], connections: int) -> None:
    present: list[ranges.Range] = []
    for start, end in written:
        ranges.add(present, start, end)
    pieces = ranges.Pieces(80, present, connections, 2, 30)
    fetched: list[int] = []
    while piece := pieces.take():
        while piece.position < piece.end:
            fetched.append(piece.position)
            pieces.advance(piece, 1)
        pieces.give_back(piece)
    assert sorted(fetched) == [byte for start, end in ranges.gaps(present, 80) for byte in range(start, end)]
    assert pieces.are_complete
    assert pieces.written == [(0, 80)]


def test_one_connection_gets_each_gap_as_one_piece() -> None:
    pieces = ranges.Pieces(1000, [(100, 200)], 1, 10, 50)
    first = pieces.take()
    assert first is not None
    assert (first.position, first.end) == (0, 100)


def test_pieces_get_smaller_towards_the_end() -> None:
    pieces = ranges.Pieces(10_000, [], 2, 10, 1000)
    sizes = []
    while not pieces.are_complete:
        piece = pieces.take()
        assert piece is not None
        sizes.append(piece.end - piece.position)
        pieces.advance(piece, sizes[-1])
        pieces.give_back(piece)
    assert sizes[0] == 1000
    assert sizes[-2] == 10
    assert sizes == sorted(sizes, reverse=True)


def test_what_was_given_back_is_handed_out_first() -> None:
    pieces = ranges.Pieces(1000, [], 2, 10, 100)
    first, second = pieces.take(), pieces.take()
    assert first is not None
    assert second is not None
    pieces.advance(first, 7)
    pieces.give_back(first)
    again = pieces.take()
    assert again is not None
    assert (again.position, again.end) == (7, 100)
