"""MATLAB files: what MATLAB writes is let pass, and damage is told before a parser meets it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import scipy.io

from faults import matfile
from imagenet_prep.formats.matlab import expect_whole

VALUES = {"numbers": np.arange(6.0).reshape(2, 3), "text": "Füchse", "structure": {"a": 1, "b": {"c": "d"}}}


def written(variables: dict[str, Any], *, compressed: bool = True, form: str = "5") -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compressed, format=form)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [True, False])
def test_a_whole_file_is_let_pass(compressed: bool) -> None:
    expect_whole(written(VALUES, compressed=compressed))


def test_every_flipped_bit_is_told_or_changes_nothing() -> None:
    content = written(VALUES)
    wanted = scipy.io.loadmat(io.BytesIO(content), variable_names=list(VALUES))
    told = 0
    for position in range(128, len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        try:
            expect_whole(bytes(damaged))
        except ValueError:
            told += 1
        else:  # between the end of what is compressed and its checksum are a few bits that nobody reads
            np.testing.assert_equal(scipy.io.loadmat(io.BytesIO(damaged), variable_names=list(VALUES)), wanted)
    assert told > (len(content) - 128) * 0.9


def test_every_missing_end_is_told_but_for_one_between_two_arrays() -> None:
    content = written(VALUES)
    whole, position = {128}, 128
    while position < len(content):
        position += 8 + int.from_bytes(content[position + 4 : position + 8], "little")
        whole.add(position)
    for end in set(range(128, len(content))) - whole:
        with pytest.raises(ValueError, match="cut off"):
            expect_whole(content[:end])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no MATLAB file"),
        (written({"a": 1}, form="4"), "no MATLAB file"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(384), "no MATLAB file"),
        (written({"a": np.zeros(5 << 20)}, compressed=False), "more than 33554432 bytes"),
        (written({"a": 1}, compressed=False)[:-1], "cut off"),
        (matfile.HEADER + bytes(64), "other than arrays"),
        (matfile.zeros(33 << 20), "more than 33554432 bytes"),
        (written({"a": 1}) + matfile.zeros(32 << 20)[128:], "more than 33554432 bytes"),
        (matfile.HEADER + matfile.compressed(b"no zlib."), "compression is broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_such_file_or_too_much_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        expect_whole(content)
