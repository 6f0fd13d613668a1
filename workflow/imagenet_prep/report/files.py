"""The names of the page's files. Imports are light, since the Snakefile needs them at every start."""

from __future__ import annotations

import math
from collections.abc import Collection

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

FILES = ("index.html", "classes.js", "run.js", "odd.webp", *COPIED)
"""All but the sheets of sample images."""

CLASSES_A_SHEET = 25


def sheet_names(classes: int, splits: Collection[str]) -> list[str]:
    """The names of the sheets of sample images; images of the test set have no class to stand for."""
    count = math.ceil(classes / CLASSES_A_SHEET) if set(splits) - {"test"} else 0
    return [f"samples-{number:02}.webp" for number in range(count)]
