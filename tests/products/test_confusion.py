"""The picture of the classes that a model confuses, as one finds the cells in it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from imagenet_prep.products import confusion

YELLOW, PURPLE = (253, 231, 37), (68, 1, 84)  # the ends of viridis
WORDS = ["tench, Tinca tinca", "goldfish", "great white shark, white shark, man-eater"]


def cells(top1: list[int], labels: list[int], folder: Path, model: str = "model") -> np.ndarray[Any, Any]:
    """Draw what was predicted; where the matrix is yellow, as shape (3 classes, 3 classes and all others)."""
    predicted, truth = np.array(top1), np.array(labels)
    right = [(predicted[truth == it] == it).mean() for it in range(3)]
    table = pd.DataFrame({"class_index": range(3), "words": WORDS, "images": 4, "top1": right})
    confusion.draw(predicted, SimpleNamespace(labels=truth), table, model, folder / "model.png")  # type: ignore[arg-type]
    picture = np.asarray(Image.open(folder / "model.png").convert("RGB"))
    of_cells = (picture == YELLOW).all(axis=2) | (picture == PURPLE).all(axis=2)
    rows, columns = of_cells.any(axis=1).nonzero()[0], of_cells.any(axis=0).nonzero()[0]
    matrix = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = matrix.shape[0] // 3, matrix.shape[1] // 4
    return np.array(
        [[tuple(matrix[height * row + 2, width * column + 2]) == YELLOW for column in range(4)] for row in range(3)]
    )


@pytest.mark.parametrize(
    ("taken_for", "column_of"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([1, 2, 0], [1, 2, 0]),
        ([7, 8, 9], [3, 3, 3]),
        ([0, 7, 2], [3, 1, 2]),  # the worst class comes first: its row and its column are the first
    ],
)
def test_each_class_has_the_cell_of_what_it_is_taken_for(
    taken_for: list[int], column_of: list[int], tmp_path: Path
) -> None:
    labels = [0, 1, 2] * 4
    yellow = cells([taken_for[it] for it in labels], labels, tmp_path)
    assert [row.nonzero()[0].tolist() for row in yellow] == [[it] for it in column_of]


def test_a_picture_is_as_wide_as_its_title(tmp_path: Path) -> None:
    cells([0, 1, 2], [0, 1, 2], tmp_path)
    narrow = Image.open(tmp_path / "model.png").width
    cells([0, 1, 2], [0, 1, 2], tmp_path, model="a-model-with-a-name-that-says-how-it-was-trained" * 2)
    picture = np.asarray(Image.open(tmp_path / "model.png").convert("L"))
    assert picture.shape[1] > narrow
    assert (picture[:, -10:] == 255).all()


def test_without_an_image_there_is_a_picture_all_the_same(tmp_path: Path) -> None:
    table = pd.DataFrame({"class_index": [0], "words": WORDS[:1], "images": [0], "top1": [None]})
    truth = SimpleNamespace(labels=np.array([], np.int64))
    confusion.draw(np.array([], np.int64), truth, table, "model", tmp_path / "model.png")  # type: ignore[arg-type]
    assert Image.open(tmp_path / "model.png").format == "PNG"
