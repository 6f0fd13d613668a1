"""A real browser for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from report.pages import Browser, browsing


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a module."""
    with browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
