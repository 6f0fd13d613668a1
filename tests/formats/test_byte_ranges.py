"""Byte ranges of a file: every one comes, in the order of the file, and with few reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import byte_ranges
from imagenet_prep.formats.byte_ranges import read_ranges

CONTENT = bytes(i * 7 % 251 for i in range(5000))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranges") / "file"
    path.write_bytes(CONTENT)
    return path


def read(path: Path, wanted: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    return [(i, bytes(data)) for i, data in read_ranges(path, [o for o, _ in wanted], [n for _, n in wanted])]


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 1000)), max_size=20),
    st.integers(0, 2000),
    st.integers(1, 3000),
)
@settings(deadline=None)
def test_every_range_comes_once_with_its_bytes(file: Path, wanted: list[tuple[int, int]], gap: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_ranges, "_GAP", gap)
        patch.setattr(byte_ranges, "_READ", size)
        found = read(file, wanted)
    assert sorted(found) == [(i, CONTENT[o : o + n]) for i, (o, n) in enumerate(wanted)]


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 1000)), max_size=20),
    st.integers(0, 2000),
    st.integers(1, 3000),
)
@settings(deadline=None)
def test_memory_that_is_given_holds_every_range_to_the_end(
    file: Path, wanted: list[tuple[int, int]], gap: int, size: int
) -> None:
    held = [bytearray(n) for _, n in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_ranges, "_GAP", gap)
        patch.setattr(byte_ranges, "_READ", size)
        for _ in read_ranges(file, [o for o, _ in wanted], [n for _, n in wanted], [memoryview(it) for it in held]):
            pass
    assert held == [CONTENT[o : o + n] for o, n in wanted]


def test_ranges_come_by_ascending_offset(file: Path) -> None:
    assert [i for i, _ in read(file, [(3000, 5), (10, 5), (2000, 5)])] == [1, 2, 0]


def test_systems_without_a_call_that_reads_into_memory_read_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(byte_ranges.os, "preadv")
    assert read(file, [(3000, 5), (10, 7)]) == [(1, CONTENT[10:17]), (0, CONTENT[3000:3005])]


def test_no_ranges_read_nothing(file: Path) -> None:
    assert read(file, []) == []


@pytest.mark.parametrize("wanted", [[(4990, 11)], [(0, 10), (4990, 11)], [(6000, 1)]])
def test_a_range_behind_the_end_of_the_file_is_told_with_it(file: Path, wanted: list[tuple[int, int]]) -> None:
    with pytest.raises(PrepError, match="short") as caught:
        read(file, wanted)
    assert caught.value.place == str(file)
    assert caught.value.offset is not None


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match="not there any more") as caught:
        read(tmp_path / "gone.tar", [(0, 1)])
    assert caught.value.place == str(tmp_path / "gone.tar")
    assert "Put it back" in caught.value.remedy
    assert "Put it back" in caught.value.remedy
