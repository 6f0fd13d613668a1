"""Look a class up in all its numberings: `python -m imagenet_prep.labels "kit fox"` (a name, a WNID, or a number).

A number is looked for in every numbering, and each class that it can mean is shown with the numbering that it is from.
Without label files the list of classes that comes with the package is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.classes import read_classes
from imagenet_prep.datasets.ilsvrc2012_classes import classes as published_classes
from imagenet_prep.errors import PrepError, reading_again

LABELS = Path("results/labels")
"""Where the workflow puts the label files."""

NUMBERINGS = {
    "class_index": "index (PyTorch, Keras, TFDS)",
    "tf_label": "tf_label (TensorFlow's scripts)",
    "ilsvrc2012_id": "ILSVRC2012_ID (devkit)",
}


def find(query: str, classes: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """The classes that `query` can mean, each with why: a WNID, a number in one of the numberings, or (part of) a name.

    Whole names come before parts of names. Of an ambiguous name all classes are returned.

    Args:
        query: what somebody typed.
        classes: rows of schema CLASSES.
    """
    text = query.strip().casefold()
    if re.fullmatch(r"n\d{8}", text):
        return [(row, "wnid") for row in classes if row["wnid"] == text]
    if text.isdecimal():
        return [(row, shown) for key, shown in NUMBERINGS.items() for row in classes if row[key] == int(text)]
    whole = [row for row in classes if text in _names(row)]
    part = [row for row in classes if row not in whole and text in row["words"].casefold()]
    return [(row, "name") for row in whole] + [(row, "part of a name") for row in part]


def ancestry(wnid: str, tree: dict[str, Any]) -> list[list[str]]:
    """Every way from the root to a synset, as the first word of each on it; a synset can have several parents."""
    return [[node["words"].partition(",")[0] for node in way] for way in _ways(wnid, tree, [])]


def describe(row: dict[str, Any], why: str, tree: dict[str, Any] | None) -> str:
    """A class in all numberings, with its places in the tree where there is one, for a terminal."""
    lines = [f"{row['words']}  ({row['wnid']}, found by {why})"]
    lines += [f"  {shown:34} {row[key]}" for key, shown in NUMBERINGS.items()]
    lines += [f"  {'training images':34} {row['num_train_images']}"]
    if tree is not None:
        lines += [f"  {' > '.join(way)}" for way in ancestry(row["wnid"], tree)]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 0 found, 1 not found or unreadable label files."""
    parser = argparse.ArgumentParser(
        prog="python -m imagenet_prep.labels", description="Look a class up in all its numberings."
    )
    parser.add_argument("query", nargs="+", help='a name ("kit fox"), a WNID (n02119789), or a number (278)')
    parser.add_argument(
        "--labels",
        type=Path,
        help=f"folder of the label files (default: {LABELS}, or without it the list that comes with the package)",
    )
    options = parser.parse_args(arguments)
    query = " ".join(options.query)
    try:
        classes, tree = _load(options.labels)
    except PrepError as error:
        print(f"ERROR {error}", file=sys.stderr)
        return 1
    found = find(query, classes)
    if not found:
        print(f"No class is called {query!r} or has this number.", file=sys.stderr)
        return 1
    print("\n\n".join(describe(row, why, tree) for row, why in found))
    return 0


def _load(named: Path | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The classes and the tree of the label files, or of none the list of the package, which has no tree."""
    folder = named or LABELS
    remedy = "Make them (snakemake --cores 1 labels), or name their folder with --labels"
    tree = folder / "hierarchy.json"
    try:
        if named is None and not folder.exists():
            print(f"There is no {folder}: looked up in the list of classes of the package", file=sys.stderr)
            return _published(), None
        classes = read_classes(folder / "classes.csv").to_pylist()
        with reading_again(tree):
            return classes, json.loads(tree.read_text(encoding="utf-8"))
    except PrepError as error:
        raise PrepError(error.place, error.problem, remedy) from error
    except OSError as error:
        raise PrepError(folder, f"the label files cannot be read ({type(error).__name__})", remedy) from error


def _published() -> list[dict[str, Any]]:
    """The classes that come with the package, as rows of schema CLASSES."""
    return [{**asdict(it), "tf_label": it.class_index + 1} for it in published_classes()]


def _names(row: dict[str, Any]) -> list[str]:
    return [name.strip().casefold() for name in row["words"].split(",")]


def _ways(wnid: str, node: dict[str, Any], above: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    way = [*above, node]
    if node["wnid"] == wnid:
        yield way
    for child in node["children"]:
        yield from _ways(wnid, child, way)


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # of a pager, or of head, that has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
