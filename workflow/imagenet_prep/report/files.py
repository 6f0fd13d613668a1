"""The names of the page's files. Imports are light, since the Snakefile needs them at every start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Labels

COPIED = (
    "page.css",
    "page.js",
    "classes-view.js",
    "charts.js",
    "uPlot.iife.min.js",
    "uPlot.min.css",
    "uPlot.LICENSE.txt",
)
"""Those that are the same for every dataset."""

ODD = "odd.webp"
"""The sheet of the odd images."""

FILES = ("index.html", "classes.js", "run.js", *COPIED)
"""All but the sheets of images."""

CLASSES_A_SHEET = 25


def sheets(config: Mapping[str, Any]) -> list[str]:
    """The names of all sheets of images."""
    return [*sheet_names(config), ODD]


def sheet_names(config: Mapping[str, Any]) -> list[str]:
    """The names of the sheets of sample images of all classes; none where no image in use is of a class."""
    dataset = dataset_of(config)
    if all(split.labels is Labels.NONE for split in dataset.splits_in_use(config)):
        return []
    classes = max(dataset.class_count(config, split) for split in dataset.splits)
    return [f"samples-{number:02}.webp" for number in range(math.ceil(classes / CLASSES_A_SHEET))]
