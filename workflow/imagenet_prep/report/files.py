"""The names of the page's files. Imports are light, since the Snakefile needs them at every start."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
"""The folder of the templates, and of the files that are copied."""

COPIED = (
    "page.css",
    "page.js",
    "classes-view.js",
    "charts.js",
    "uPlot.iife.min.js",
    "uPlot.min.css",
    "uPlot.LICENSE.txt",
)
"""The files that are the same on every page."""

FILES = ("index.html", "classes.js", "run.js", *COPIED)
"""All files of a page but the sheets of images."""
