"""The names of the page's files. Imports are light, since the Snakefile needs them at every start."""

from __future__ import annotations

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

FILES = ("index.html", "classes.js", "run.js", *COPIED)
"""All but the sheets of images."""
