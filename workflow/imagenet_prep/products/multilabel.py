"""The table of multi-label annotations: `tables/multilabel.parquet`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import DEVKIT
from imagenet_prep.products.table import TableProduct

if TYPE_CHECKING:
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.findings import Check


class Multilabel(TableProduct):
    """The annotated validation images with all their labels."""

    name = "multilabel"
    rule = "tabulate_multilabel"
    version = 1

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, and how they are numbered."""
        return {"classes": classes_of(config)}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit."""
        return [(DEVKIT.name, ALL)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the annotations."""
        return [dataset_of(config).multilabel.archive]

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """The archive of the annotations."""
        return [[dataset.multilabel.archive]]

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """Whether the annotations are of images with these labels."""
        return {self.name: partial(check_multilabel, facts)}


def check_multilabel(facts: Facts, mend: str) -> Check:
    """Every annotated image is one of the validation labels, with its own label."""
    from imagenet_prep.formats import parquet
    from imagenet_prep.products.audit.findings import Check

    path = Multilabel().path
    rows = parquet.read(facts.output_dir / path).to_pylist()
    check = Check(Multilabel.name, {"images": len(rows), "imagenet_m": sum(row["imagenet_m"] for row in rows)})
    labels = {row["filename"]: row["class_index"] for row in facts.validation_labels.to_pylist()}
    wrong = [row["file_name"] for row in rows if row["original_label"] != labels.get(row["file_name"])]
    check.add_each(f"its original_label in {path} is not its validation label", wrong, mend)
    return check
