"""Fixtures that the tests of this folder may ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configuration.official import overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.errors import PrepError


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """The message with which a configuration is refused."""

    def message(over: dict[str, Any]) -> str:
        with pytest.raises(PrepError) as caught:
            complete(overlaid(over), tmp_path)
        return str(caught.value)

    return message
