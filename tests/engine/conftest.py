"""Fixtures that the tests of this folder may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.outputs import Output


@pytest.fixture
def output(tmp_path: Path) -> Output:
    """An output folder with nothing made, of archives that were all read."""
    found = Output(tmp_path / "results")
    for name in found.config()["use"]:
        found.scan(name)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the archives, with nothing in it."""
    path = tmp_path / "archives"
    path.mkdir()
    return path
