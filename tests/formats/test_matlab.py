"""MATLAB files: what scipy reads is let pass as it is, and what would harm it is not."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from faults import matfile
from imagenet_prep.formats.matlab import unpacked

VALUES = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "complex": np.array([1 + 2j]),
    "text": "Füchse",
    "cell": np.array([[np.array([1]), "a"]], dtype=object),
    "structure": {"a": 1, "b": {"c": "d"}},
    "nothing": np.empty((0, 0)),
}


def written(variables: dict[str, Any], *, compressed: bool = False, form: str = "5") -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compressed, format=form)
    return file.getvalue()


def read(content: bytes) -> dict[str, Any]:
    return scipy.io.loadmat(io.BytesIO(content), squeeze_me=True)


@pytest.mark.parametrize("compressed", [False, True])
def test_every_array_that_a_devkit_may_hold_is_read_as_before(compressed: bool) -> None:
    content = written(VALUES, compressed=compressed)
    before, after = read(content), read(unpacked(content))
    assert before.keys() == after.keys()
    for name in VALUES:
        np.testing.assert_equal(after[name], before[name])


def test_an_uncompressed_file_stays_as_it_is() -> None:
    content = written(VALUES)
    assert unpacked(content) == content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no MATLAB file"),
        (written({"a": 1}, form="4"), "no MATLAB file"),
        (written({"a": 1})[:-1], "longer than what holds it"),
        (written({"a": scipy.sparse.eye(3)}), "of class 5"),
        (matfile.nested_cells(5), "nested more than 4 deep"),
        (matfile.nested_cells(100_000), "nested more than 4 deep"),
        (matfile.numeric((1 << 20, 1 << 20), nbytes=16), "claims 1048576x1048576 values"),
        (matfile.numeric((0, (1 << 31) - 1)), "claims 0x2147483647 values"),
        (matfile.numeric((20, 1), nbytes=16), "an array of 20 values has 16 bytes"),
        (matfile.numeric((1, 1), 8, kind=59218), "of type 59218"),  # which ended the process with SIGBUS
        (matfile.numeric((1, 1), 8, kind=0), "of type 0"),
        (matfile.numeric((33 << 20, 1), compressed=True), "more than 33554432 bytes"),
        (matfile.HEADER + matfile.element(matfile.COMPRESSED, b"no zlib."), "compression is broken"),
        (matfile.HEADER + matfile.element(matfile.DOUBLE, bytes(8)), "other than arrays"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_harm_a_parser_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        unpacked(content)
