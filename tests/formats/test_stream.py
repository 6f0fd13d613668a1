"""A file read once from front to back, with a checksum of all that passed."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.formats import stream
from imagenet_prep.formats.stream import EndOfStream, Stream

DATA = random.Random(0).randbytes(5000)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", 64)
        yield


class Dribbling(io.RawIOBase):
    """A source that gives a few bytes at a time, as a pipe does."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def readinto(self, buffer: bytearray) -> int:
        return self._rest.readinto(memoryview(buffer)[:7])


@pytest.mark.parametrize("source", [io.BytesIO, Dribbling])
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_taking_and_skipping_go_through_the_file_in_order(source: type, steps: list[tuple[bool, int]]) -> None:
    position = 0
    with Stream(source(DATA), "md5") as opened:
        for take, n in steps:
            if position + n > len(DATA):
                break
            if take:
                assert bytes(opened.take(n)) == DATA[position : position + n]
            else:
                opened.skip(n)
            position += n
            assert opened.offset == position
        opened.drain()
        assert opened.offset == len(DATA)
        assert opened.hexdigest() == hashlib.md5(DATA).hexdigest()


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
@pytest.mark.parametrize("data", [b"", b"1", DATA])
def test_the_checksum_is_that_of_the_whole_file_however_little_was_taken(algorithm: str, data: bytes) -> None:
    with Stream(io.BytesIO(data), algorithm) as opened:
        opened.drain()
        assert opened.hexdigest() == hashlib.new(algorithm, data).hexdigest()


@pytest.mark.parametrize("how", ["take", "skip"])
@pytest.mark.parametrize("before", [0, 10, 64, 4990])
def test_more_bytes_than_are_left_end_the_stream_and_say_how_many_there_were(how: str, before: int) -> None:
    with Stream(io.BytesIO(DATA)) as opened:
        opened.skip(before)
        with pytest.raises(EndOfStream) as caught:
            getattr(opened, how)(6000)
    assert caught.value.available == len(DATA) - before


def test_progress_is_told_how_much_was_read() -> None:
    told: list[int] = []
    with Stream(io.BytesIO(DATA), None, told.append) as opened:
        opened.drain()
    assert told == sorted(told)
    assert told[-1] == len(DATA)


def test_an_error_of_the_source_comes_through() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: bytearray) -> int:
            raise OSError(5, "Input/output error")

    with Stream(Broken(), "md5") as opened, pytest.raises(OSError, match="Input/output"):
        opened.take(1)
