"""Pieces written together: all of them, in order, however the system takes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagenet_prep import atomic
from imagenet_prep.formats import gathering
from imagenet_prep.formats.gathering import GatheringWriter


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=20), max_size=30), at_a_time=st.integers(1, 25))
def test_the_file_is_the_pieces_whatever_a_call_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], at_a_time: int
) -> None:
    monkeypatch.setattr(gathering, "_CALL", 16)
    monkeypatch.setattr(gathering, "_PIECES", 7)

    def some(descriptor: int, buffers: list[bytes]) -> int:
        return os.write(descriptor, b"".join(map(bytes, buffers))[:at_a_time])

    monkeypatch.setattr(gathering.os, "writev", some)
    with open(tmp_path / "file", "wb", buffering=0) as file:
        writer = GatheringWriter(file)
        for start in range(0, len(pieces), 3):
            writer.write(*pieces[start : start + 3])
        writer.flush()
        assert writer.nbytes == len(b"".join(pieces))
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


def test_more_pieces_than_a_call_takes_are_written(tmp_path: Path) -> None:
    pieces = [bytes([number % 256]) for number in range(5000)]
    with open(tmp_path / "file", "wb", buffering=0) as file:
        writer = GatheringWriter(file)
        writer.write(*pieces)
        writer.flush()
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


def test_the_system_begins_to_bring_to_the_disk_what_was_written_before_the_rest_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_CALL", 10)
    monkeypatch.setattr(gathering, "_BEGIN", 30)
    begun: list[int] = []
    monkeypatch.setattr(atomic, "begin_sync", lambda descriptor: begun.append(os.fstat(descriptor).st_size))
    with open(tmp_path / "file", "wb", buffering=0) as file:
        writer = GatheringWriter(file)
        for _ in range(10):
            writer.write(bytes(10))
        writer.flush()
    assert begun == [30, 60, 90]


@pytest.mark.parametrize("system", [atomic._SYSTEM, object()], ids=["this one", "one that cannot"])
def test_the_file_is_the_same_where_the_system_has_no_call_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: object
) -> None:
    monkeypatch.setattr(atomic, "_SYSTEM", system)
    monkeypatch.setattr(gathering, "_BEGIN", 1)
    with open(tmp_path / "file", "wb", buffering=0) as file:
        writer = GatheringWriter(file)
        writer.write(b"one", b"two")
        writer.flush()
    assert (tmp_path / "file").read_bytes() == b"onetwo"
