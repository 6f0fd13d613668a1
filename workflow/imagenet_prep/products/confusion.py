"""A picture of the classes that a model gets wrong most often, and of the classes that it takes them for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imagenet_prep import atomic
from imagenet_prep.products.scores import Indices, Truth

WORST = 20
"""How many classes the picture has."""


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
    figure = Figure(figsize=(10, 8), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="viridis", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns) + 1), [*names, "any other class"], rotation=60, ha="right")
    axes.set_yticks(
        range(len(columns)), [f"{name}: {top1:.0%}" for name, top1 in zip(names, worst["top1"], strict=True)]
    )
    axes.set_xlabel("predicted as")
    axes.set_ylabel("class, and how much of it is right")
    axes.set_title(f"{model}: the {len(columns)} classes with the lowest top-1 accuracy")
    figure.colorbar(picture, label="share of the class's images")
    with atomic.replacing(output) as partial:
        figure.savefig(partial, format="png", dpi=100, metadata={"Software": None})
