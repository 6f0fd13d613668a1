"""Four validation images, predictions of them, and what reads these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders import is_one_line
from imagenet_prep.errors import PrepError
from imagenet_prep.products.predictions import Predictions, ValidationSet, read_predictions

IMAGES = ["a", "b"]
CLASSES = 12
VALIDATION = [f"ILSVRC2012_val_{number:08}.JPEG" for number in range(1, 5)]
STEMS = [name.removesuffix(".JPEG") for name in VALIDATION]
WNIDS = [f"n{index:08}" for index in range(CLASSES)]
BEST = [[3, 1, 4, 0, 5], [9, 2, 6, 7, 8], [5, 3, 1, 0, 2], [7, 8, 9, 10, 11]]
TABLE = pd.DataFrame(BEST, columns=[f"top{place}" for place in range(1, 6)])


def expected(images: list[str], **changes: Any) -> ValidationSet:
    return ValidationSet(**{"filenames": images, "every": images, "wnids": WNIDS, "in_use": range(CLASSES), **changes})


def read(path: Path, **changes: Any) -> Predictions:
    return read_predictions(path, expected(VALIDATION, **changes), for_part="ask for a part")


def refusal(path: Path, images: list[str] = IMAGES, **changes: Any) -> PrepError:
    with pytest.raises(PrepError) as caught:
        read_predictions(path, expected(images, **changes), for_part="ask for a part")
    assert caught.value.place == str(path)
    assert is_one_line(caught.value)
    return caught.value


def scores() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Scores, shape (4, CLASSES), whose order is BEST."""
    found = np.random.default_rng(1).random((len(BEST), CLASSES)).astype(np.float32)
    for rank, places in enumerate(np.array(BEST).T):
        found[range(len(BEST)), places] = 10 - rank
    return found
