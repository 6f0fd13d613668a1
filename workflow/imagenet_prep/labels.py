"""Look a class up in all its numberings: `python -m imagenet_prep.labels "kit fox"` (a name, a WNID, or a number).

A number is looked for in every numbering, and each class that it can mean is shown with the numbering that it is from.
The synsets above the classes are found by name and WNID, with the classes below them. They are in the label files
alone; without these the list of classes that comes with the package is taken.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
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

_REMEDY = (
    "Make the label files (`.venv/bin/snakemake --cores 1 labels`, in the clone), or name their folder with --labels"
)
_OF_NLTK = re.compile(r"\.n\.\d+$")  # behind the names of its synsets
_SUGGESTIONS = 3
_LIKENESS = 0.65  # of difflib, from which on a name is taken for what was meant


def find(query: str, synsets: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """The synsets that `query` can mean, each with how it was found.

    That is `wnid`, a key of NUMBERINGS, `name`, `word` (whole words of a name) or `part of a word`. Whole names come
    before words of names; parts of words count where there is nothing else. Of an ambiguous name all are returned.

    Args:
        query: what somebody typed; in names only letters and digits count, as in "kit_fox".
        synsets: what `with_inner` gives.
    """
    text = query.strip().casefold()
    if wnid := _wnid_in(text):
        return [(row, "wnid") for row in synsets if row["wnid"] == wnid]
    if text.isdecimal():
        return [(row, key) for key in NUMBERINGS for row in synsets if row[key] == int(text)]
    text = _plain(_OF_NLTK.sub("", text))
    if not text:
        return []
    found = _by_name(text, synsets)
    if not (found["name"] or found["word"]) and text.endswith("s"):  # "dogs" are no dogsled
        singular = _by_name(text.removesuffix("s"), synsets)
        found = singular if singular["name"] or singular["word"] else found
    if found["name"] or found["word"]:
        del found["part of a word"]
    return [(row, how) for how, rows in found.items() for row in rows]


def _by_name(text: str, synsets: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The synsets with a name of these words, by how they have it, each once."""
    found: dict[str, list[dict[str, Any]]] = {"name": [], "word": [], "part of a word": []}
    for row in synsets:
        names = [_plain(name) for name in _names(row)]
        if _joined(text) in map(_joined, (*names, " ".join(names))):
            found["name"].append(row)
        elif any(f" {text} " in f" {name} " for name in names):
            found["word"].append(row)
        elif any(text in name for name in names):
            found["part of a word"].append(row)
    return found


def with_inner(classes: Iterable[dict[str, Any]], tree: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The classes, and behind them the synsets of the tree that are none, in the order in which they stand there.

    Each gets a list `classes`: the rows of the classes at or below it, by index. A synset that is no class has None in
    each numbering, and the training images of all its classes.

    Args:
        classes: rows of schema CLASSES.
        tree: what `hierarchy.json` holds, or None.
    """
    by_index = {row["class_index"]: row for row in classes}
    found = [{**row, "classes": [row]} for row in by_index.values()]
    inner: dict[str, dict[str, Any]] = {}

    def below(node: dict[str, Any]) -> set[int]:
        own = node["class_index"]
        if own is None:
            row = inner.setdefault(node["wnid"], {"wnid": node["wnid"], "words": node["words"]})
        indices = set() if own is None else {own}
        indices.update(*map(below, node["children"]))
        if own is None:
            row["classes"] = [by_index[index] for index in sorted(indices)]
        return indices

    if tree is not None:
        below(tree)
    for row in inner.values():
        images = sum(it["num_train_images"] or 0 for it in row["classes"])
        found.append({**dict.fromkeys(NUMBERINGS), **row, "num_train_images": images})
    return found


def similar(query: str, synsets: Iterable[dict[str, Any]]) -> list[str]:
    """Names, words of names, or WNIDs that somebody may have meant who mistyped one; the most similar first."""
    synsets = list(synsets)
    if re.fullmatch(r"n?\d+", query.strip().casefold()):
        return difflib.get_close_matches(query.strip().casefold(), [row["wnid"] for row in synsets], 1, 0.85)
    spelled: dict[str, str] = {}
    for row in synsets:
        for name in _names(row):
            for it in (name, *name.split()):
                spelled.setdefault(_plain(it), it)
    return [spelled[it] for it in difflib.get_close_matches(_plain(query), spelled, _SUGGESTIONS, _LIKENESS)]


def ancestry(wnid: str, tree: dict[str, Any]) -> list[list[str]]:
    """Every way from the root to a synset, as the first word of each on it; a synset can have several parents."""
    return [[node["words"].partition(",")[0] for node in way] for way in _ways(wnid, tree, [])]


def describe(row: dict[str, Any], how: str, tree: dict[str, Any] | None) -> str:
    """A synset for a terminal: in all numberings or with its classes, and its places in the tree where there is one."""
    lines = [f"{row['words']}  ({row['wnid']}, found by {NUMBERINGS.get(how, how)})"]
    is_class = row["class_index"] is not None
    if is_class:
        lines += [f"  {shown:34} {_known(row[key])}" for key, shown in NUMBERINGS.items()]
    else:
        lines += [f"  {'no class, but classes below it':34} {len(row['classes'])}"]
    lines += [f"  {'training images':34} {_known(row['num_train_images'])}"]
    if tree is not None:
        lines += [f"  {' > '.join(way)}" for way in ancestry(row["wnid"], tree)]
    if not is_class and how in ("wnid", "name"):
        lines += [f"  {it['class_index']:5}  {it['wnid']}  {it['words']}" for it in row["classes"]]
    return "\n".join(lines)


def as_json(found: Iterable[tuple[dict[str, Any], str]], tree: dict[str, Any] | None) -> str:
    """What was found for a program: a list of objects.

    Each has the columns of `classes.csv`, `found_by` as `find` says it, `classes` (indices, of a class its own alone)
    and `ways` (what `ancestry` gives; null without a tree).
    """
    entries = [
        {
            **row,
            "found_by": how,
            "classes": [it["class_index"] for it in row["classes"]],
            "ways": None if tree is None else ancestry(row["wnid"], tree),
        }
        for row, how in found
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 0 found or helped, 1 not found or unreadable label files."""
    parser = argparse.ArgumentParser(
        prog="python -m imagenet_prep.labels", description="Look a class up in all its numberings."
    )
    parser.add_argument(
        "query",
        nargs="*",
        help='a name ("kit fox", kit_fox), a WNID (n02119789), or a number (278); of a synset above classes, such as '
        "dog or n02084071, the classes below it",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        help=f"folder of the label files (default: {LABELS}, or without it the list that comes with the package, "
        "which has the classes alone)",
    )
    parser.add_argument(
        "--json", action="store_true", help="for programs: a list of objects, empty where none is found"
    )
    options = parser.parse_args(arguments)
    if not options.query:
        parser.print_help()
        return 0
    query = " ".join(options.query)
    try:
        synsets, tree = _load(options.labels)
    except PrepError as error:
        print(f"ERROR {error}", file=sys.stderr)
        return 1
    found = find(query, synsets)
    if not found:
        print(_not_found(query, synsets, tree), file=sys.stderr)
    if options.json:
        print(as_json(found, tree))
    elif found:
        print("\n\n".join(describe(row, how, tree) for row, how in found))
    return 0 if found else 1


def _not_found(query: str, synsets: Iterable[dict[str, Any]], tree: dict[str, Any] | None) -> str:
    text = query.strip()
    if text.isdecimal():
        return f"No class has the number {text}."
    above = "" if tree is None else ", and no synset above one,"
    if wnid := _wnid_in(text.casefold()):
        near = similar(wnid, synsets) if tree is not None else []
        return f"No class{above} is {wnid}." + (f" Did you mean {near[0]}?" if near else "")
    near = similar(text, synsets)
    return f"No class is called {text!r}." + (f" Did you mean {' or '.join(near)}?" if near else "")


def _load(named: Path | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """What `with_inner` gives, and the tree, of the label files; without them the classes of the package, and None."""
    folder = named.expanduser() if named else LABELS
    path = folder / "hierarchy.json"
    try:
        if named is None and not folder.exists():
            place = "the package's list of classes, which has none of the synsets above them"
            print(f"There is no {folder}: looked up in {place}. {_REMEDY}", file=sys.stderr)
            return with_inner(_published(), None), None
        classes = read_classes(folder / "classes.csv").to_pylist()
        with reading_again(path):
            tree = json.loads(path.read_text(encoding="utf-8"))
            return with_inner(classes, tree), tree
    except PrepError as error:
        raise PrepError(error.place, error.problem, _REMEDY) from error
    except OSError as error:
        raise PrepError(folder, f"the label files cannot be read ({type(error).__name__})", _REMEDY) from error


def _published() -> list[dict[str, Any]]:
    """The classes that come with the package, as rows of schema CLASSES."""
    return [{**asdict(it), "tf_label": it.class_index + 1} for it in published_classes()]


def _wnid_in(text: str) -> str | None:
    """The WNID that a text is or has in it, as names of files have; also one without its n, or without zeros."""
    if re.fullmatch(r"\d{7,8}", text):
        return f"n{text:0>8}"
    found = re.search(r"(?<![a-z0-9])n\d{8}(?!\d)", text)
    return found[0] if found else None


def _known(value: Any) -> Any:
    """A value of a table; without a devkit some are not known."""
    return "not known without the devkit" if value is None else value


def _names(row: dict[str, Any]) -> list[str]:
    return [name.strip() for name in row["words"].split(",")]


def _plain(text: str) -> str:
    """The words of a name alone, in small letters, one space between them."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _joined(plain: str) -> str:
    """The same without the spaces: people write "T-shirt" and "tshirt", "hot dog" and "hotdog"."""
    return plain.replace(" ", "")


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
