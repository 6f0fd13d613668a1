"""The tree of synsets, held against the nested one of labels/hierarchy.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq

from imagenet_prep.report.synset_tree import taxonomy
from project import Project


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


def below(tree: dict[str, Any]) -> set[str]:
    return {node["wnid"] for node in nodes(tree) if node["class_index"] is not None}


def test_it_is_the_tree_of_the_label_files_with_each_class_counted_once(finished: Project) -> None:
    labels = finished.results / "labels"
    tree = json.loads((labels / "hierarchy.json").read_text())
    classes = below(tree)
    images = {wnid: 10 + number for number, wnid in enumerate(sorted(classes))}
    rows = taxonomy(pq.read_table(labels / "synsets.parquet"), classes, images)
    wanted = {node["wnid"]: node for node in nodes(tree)}
    assert rows[0]["wnid"] == tree["wnid"]
    assert sorted(row["wnid"] for row in rows) == sorted(wanted)
    for row in rows:
        node = wanted[row["wnid"]]
        assert [rows[child]["wnid"] for child in row["children"]] == [child["wnid"] for child in node["children"]]
        assert row["classes"] == len(below(node))
        assert row["images"] == sum(images[wnid] for wnid in below(node))


def test_branches_without_a_class_in_use_are_left_out(finished: Project) -> None:
    synsets = pq.read_table(finished.results / "labels" / "synsets.parquet")
    rows = taxonomy(synsets, {"n02119789"}, {"n02119789": 7})
    assert {row["classes"] for row in rows} == {1}
    assert {row["images"] for row in rows} == {7}
    assert "n02119789" in {row["wnid"] for row in rows}
