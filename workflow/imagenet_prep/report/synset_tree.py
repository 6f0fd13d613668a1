"""The tree of synsets as the page folds it out: those with a class in use below them, each with what it holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

from imagenet_prep.datasets.classes import root


def taxonomy(synsets: pa.Table, classes: Collection[str], images: Mapping[str, int]) -> list[dict[str, Any]]:
    """The synsets, the root first, and each with the positions of its children in this list.

    A synset that has several parents stands in the list once. Classes below it count once, too.

    Args:
        synsets: the devkit's, schema SYNSETS.
        classes: WNIDs of the classes in use.
        images: numbers of images by WNID.

    Returns:
        A row a synset, of which without a devkit only the classes are known:
            `wnid, words, gloss, children`, and below it `classes` and `images`.
    """
    if synsets["children"].null_count:
        return _without_tree(synsets, classes, images)
    rows = {row["ilsvrc2012_id"]: row for row in synsets.to_pylist()}
    below: dict[int, set[str]] = {}

    def leaves(synset: int) -> set[str]:
        if synset not in below:
            row = rows[synset]
            own = {row["wnid"]} if row["wnid"] in classes else set()
            below[synset] = own.union(*map(leaves, row["children"]))
        return below[synset]

    first = root(rows.values())
    leaves(first)
    kept = [first, *sorted(synset for synset in below if below[synset] and synset != first)]
    position = {synset: number for number, synset in enumerate(kept)}
    return [
        {
            "wnid": rows[synset]["wnid"],
            "words": rows[synset]["words"],
            "gloss": rows[synset]["gloss"],
            "children": [position[child] for child in rows[synset]["children"] if child in position],
            "classes": len(below[synset]),
            "images": sum(images.get(wnid, 0) for wnid in below[synset]),
        }
        for synset in kept
    ]


def _without_tree(synsets: pa.Table, classes: Collection[str], images: Mapping[str, int]) -> list[dict[str, Any]]:
    """All classes below one root."""
    rows = [row for row in synsets.to_pylist() if row["wnid"] in classes]
    of_all = {"classes": len(rows), "images": sum(images.get(row["wnid"], 0) for row in rows)}
    root = {"wnid": "", "words": "all classes", "gloss": "", "children": list(range(1, len(rows) + 1)), **of_all}
    leaves = (
        {**{key: row[key] for key in ("wnid", "words")}, "gloss": "", "children": [], "classes": 1} for row in rows
    )
    return [root, *({**leaf, "images": images.get(leaf["wnid"], 0)} for leaf in leaves)]
