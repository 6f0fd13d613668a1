"""A picture of the classes that a model gets wrong most often, and of the classes that it takes them for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from imagenet_prep import atomic
from imagenet_prep.products.scores import Indices, Truth

WORST = 20
"""How many classes the picture has."""

_CELL, _MARGIN = 36, 16  # in pixels
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
# From 0 to 1, ten of the colours of viridis.
_COLOURS = np.array(
    [
        *[(68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142)],
        *[(31, 158, 137), (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37)],
    ]
)


def draw(top1: Indices, truth: Truth, classes: pd.DataFrame, model: str, output: Path) -> None:
    """Draw the confusion of the `WORST` classes of lowest accuracy with each other and with all other classes.

    Args:
        top1: the best prediction of every image, a class index, int64 of shape (n,).
        truth: the right labels of these images.
        classes: the table that `scores.per_class` gives.
        model: the model's name, for the title.
        output: the PNG file to write.
    """
    worst = classes[classes["images"] > 0].sort_values(["top1", "class_index"]).head(WORST)
    columns = worst["class_index"].tolist()
    names = [f"{words.partition(',')[0]} ({index})" for words, index in zip(worst["words"], columns, strict=True)]
    shares = np.zeros((len(columns), len(columns) + 1))
    for row, index in enumerate(columns):
        predicted = top1[truth.labels == index]
        shares[row, :-1] = [(predicted == other).mean() for other in columns]
        shares[row, -1] = 1 - shares[row, :-1].sum()
    rows = [f"{name}: {top1:.0%}" for name, top1 in zip(names, worst["top1"], strict=True)]
    title = f"{model}: the {len(columns)} classes with the lowest top-1 accuracy"
    explanation = "A row a class, with how much of it is right; a column what it is predicted as, in % of the class"
    picture = _matrix(shares, rows, [*names, "any other class"], title, explanation)
    with atomic.replacing(output) as partial:
        picture.save(partial, format="png")


def _matrix(
    shares: npt.NDArray[np.float64], rows: list[str], columns: list[str], title: str, explanation: str
) -> Image.Image:
    """A matrix of shares from 0 to 1, shape (rows, columns), each a cell of its colour with the number of per cent."""
    small, large = ImageFont.load_default(13), ImageFont.load_default(17)
    names = [_slanted(name, small) for name in columns]
    left = _MARGIN + max([round(small.getlength(row)) for row in rows], default=0) + 8
    above = _MARGIN + 60
    below, right = above + _CELL * len(rows), left + _CELL * len(columns)
    # A slanted name ends below its column and begins to the left of it.
    left_of_all = max([0, *(name.width - (left + _CELL * number) for number, name in enumerate(names, 1))])
    width = max(right, left + round(max(large.getlength(title), small.getlength(explanation)))) + _MARGIN
    size = (left_of_all + width, below + max(name.height for name in names) + _MARGIN)
    picture = Image.new("RGB", size, _WHITE)
    pen, left = ImageDraw.Draw(picture), left + left_of_all
    pen.text((left, _MARGIN), title, _BLACK, large)
    pen.text((left, _MARGIN + 28), explanation, _BLACK, small)
    for row, name in enumerate(rows):
        top = above + _CELL * row
        pen.text((left - 8, top + _CELL // 2), name, _BLACK, small, anchor="rm")
        for column, share in enumerate(shares[row]):
            start, place = left + _CELL * column, share * (len(_COLOURS) - 1)
            colour = tuple(round(np.interp(place, range(len(_COLOURS)), channel)) for channel in _COLOURS.T)
            pen.rectangle((start, top, start + _CELL - 1, top + _CELL - 1), colour)
            middle = (start + _CELL // 2, top + _CELL // 2)
            if share:
                pen.text(middle, f"{100 * share:.0f}", _BLACK if share > 0.6 else _WHITE, small, anchor="mm")
    for column, mask in enumerate(names, 1):
        picture.paste(_BLACK, (left + _CELL * column - _CELL // 3 - mask.width, below + 6), mask)
    return picture


def _slanted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    """A mask of a text that rises to the right."""
    _, _, width, height = font.getbbox(text)
    mask = Image.new("L", (round(width), round(height)))
    ImageDraw.Draw(mask).text((0, 0), text, 255, font)
    return mask.rotate(60, Image.Resampling.BICUBIC, expand=True)
