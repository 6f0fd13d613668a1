"""Scans of archives: the rows and the receipt of a good one, the error of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import builders
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError

NOTHING = Expected()
Row = dict[str, Any]


def scanned(folder: Path, name: str, data: bytes, expected: Expected = NOTHING) -> tuple[list[Row], Row]:
    """The rows and the receipt of a scan that leaves its table and nothing else behind."""
    archive, output = folder / f"{name}.tar", folder / "out" / "scan.parquet"
    archive.write_bytes(data)
    receipt = scan(name, archive, expected, output, ILSVRC2012)
    assert builders.files_below(output.parent) == {"scan.parquet"}
    rows: list[Row] = pq.read_table(output).to_pylist()
    return rows, receipt


def refusal(folder: Path, name: str, data: bytes, expected: Expected = NOTHING) -> PrepError:
    """The error of a scan that leaves nothing behind."""
    with pytest.raises(PrepError) as caught:
        scanned(folder, name, data, expected)
    assert builders.files_below(folder / "out") == set()
    assert caught.value.place == str(folder / f"{name}.tar")
    assert builders.is_one_line(caught.value)
    return caught.value
