"""Fixtures that the tests of this folder may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the archives, with nothing in it."""
    path = tmp_path / "archives"
    path.mkdir()
    return path
