"""The folder `labels/`: synsets, classes and validation labels as tables and as the files that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.engine.space import ImageTotals
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import DEVKIT
from imagenet_prep.products.product import Product

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.findings import Check


class Labels(Product):
    """The classes in every numbering that people use, and the validation labels in all of them."""

    name = "labels"
    rule = "write_labels"
    version = 1
    layout = 2
    file_names = (
        "synsets.parquet",
        "classes.csv",
        "val_labels.csv",
        "val_index.txt",
        "validation_synset_labels.txt",
        "wnid_to_index.txt",
        "hierarchy.json",
    )
    used_by_audit = ("labels/classes.csv", "labels/val_labels.csv")

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, and how they are numbered."""
        return {"classes": classes_of(config)}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit."""
        return [(DEVKIT.name, ALL)]

    def files(self, config: Config) -> list[str]:
        """All files of the folder."""
        return [f"{self.path}{name}" for name in self.file_names]

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """What is in the folder: without a devkit no tree, but null."""
        with open(Path(config["output_dir"], self.path, "hierarchy.json"), "rb") as file:
            is_null = file.read(len("null")) == b"null"
        what = f"classes in every numbering, {'' if is_null else 'the tree of synsets, '}validation labels"
        return what, super().content(config, images)[1]

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """Whether the files agree with each other."""
        return {self.name: partial(check_labels, facts)}


def write_labels(synsets: pa.Table, ground_truth: npt.NDArray[np.int32], classes: pa.Table, folder: Path) -> None:
    """Write all of `Labels.file_names` into the folder.

    `synsets.parquet` always holds the whole devkit; the others the selected classes only, and the files with one
    line an image only images of these, in image order.

    Args:
        synsets: the devkit's, schema SYNSETS.
        ground_truth: the ILSVRC2012_ID of each validation image's class, int32, shape (number of images,).
        classes: the selected ones, schema CLASSES.
        folder: where to write; made if it does not exist.
    """
    from imagenet_prep import atomic
    from imagenet_prep.datasets.classes import hierarchy, validation_labels
    from imagenet_prep.formats import parquet

    images = validation_labels(ground_truth, synsets, classes)
    parquet.write(_published(synsets), folder / "synsets.parquet")
    atomic.write_text(folder / "classes.csv", _csv(classes))
    atomic.write_text(folder / "val_labels.csv", _csv(images))
    atomic.write_text(folder / "val_index.txt", "".join(f"{index}\n" for index in images["class_index"].to_pylist()))
    atomic.write_text(
        folder / "validation_synset_labels.txt", "".join(f"{wnid}\n" for wnid in images["wnid"].to_pylist())
    )
    atomic.write_text(
        folder / "wnid_to_index.txt",
        "".join(f"{row['wnid']} {row['class_index']} {row['words']}\n" for row in classes.to_pylist()),
    )
    atomic.write_json(folder / "hierarchy.json", hierarchy(synsets, classes))


def _published(synsets: pa.Table) -> pa.Table:
    """The synsets; without a devkit, WNIDs and words alone: all else was made up to fill the table."""
    import pyarrow as pa

    from imagenet_prep.datasets.classes import has_ids

    if has_ids(synsets):
        return synsets
    known = {"wnid", "words"}
    columns = [synsets[it.name] if it.name in known else pa.nulls(len(synsets), it.type) for it in synsets.schema]
    return pa.table(columns, schema=synsets.schema)


def _csv(table: pa.Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue()


def check_labels(facts: Facts, mend: str) -> Check:
    """The label files agree with each other."""
    from imagenet_prep.formats import parquet
    from imagenet_prep.products.audit.findings import Check

    labels, classes, images = facts.labels, facts.classes.to_pylist(), facts.validation_labels.to_pylist()
    check = Check(Labels.name, {"classes": len(classes), "validation_labels": len(images)})
    index = [int(line) for line in (labels / "val_index.txt").read_text().split()]
    wnids = (labels / "validation_synset_labels.txt").read_text().split()
    by_wnid = {row["wnid"]: row["class_index"] for row in classes}
    if index != [row["class_index"] for row in images] or wnids != [row["wnid"] for row in images]:
        check.add("labels/: val_index.txt, validation_synset_labels.txt and val_labels.csv do not agree", mend)
    if [by_wnid.get(wnid) for wnid in wnids] != index:
        check.add("labels/: the indices of the validation labels are not those of classes.csv", mend)
    is_sorted = [row["wnid"] for row in classes] == sorted(by_wnid)
    if not is_sorted or any(row["tf_label"] != row["class_index"] + 1 for row in classes):
        check.add("labels/classes.csv: the classes are not numbered by sorted WNID", mend)
    lines = [line.split(" ", 2)[:2] for line in (labels / "wnid_to_index.txt").read_text().splitlines()]
    if lines != [[wnid, str(number)] for wnid, number in by_wnid.items()]:
        check.add("labels/wnid_to_index.txt: it does not agree with classes.csv", mend)
    synsets = parquet.read(labels / "synsets.parquet", ["wnid", "ilsvrc2012_id"]).to_pylist()
    ids = {row["wnid"]: row["ilsvrc2012_id"] for row in synsets}
    if any(row["ilsvrc2012_id"] != ids.get(row["wnid"]) for row in classes):
        check.add("labels/classes.csv: its ILSVRC2012 IDs are not those of synsets.parquet", mend)
    return check
