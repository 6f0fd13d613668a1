"""The dataset's page as a product: what it is made from. The package `report` makes it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.step import ALL, Config, Need, Step, classes_of
from imagenet_prep.engine.table_steps import boxes_in_use
from imagenet_prep.products.audit.audit_report import AuditReport
from imagenet_prep.products.image_table import ImageTable
from imagenet_prep.products.labels import Labels
from imagenet_prep.products.product import Product
from imagenet_prep.products.scored import scored

CLASSES_A_SHEET = 25

ODD = "odd.webp"
"""The sheet of the odd images."""


class Samples(Step):
    """The sheets of thumbnails that the page shows, made while others write the products."""

    name = "samples"
    rule = "draw_samples"
    version = 3
    is_timed = True

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The splits in use."""
        return {"splits": [split.name for split in dataset_of(config).splits_in_use(config)]}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """Labels, images, and the boxes of the splits in use: each class is to have a sample with a box."""
        return [(Labels.name, ALL), (ImageTable.name, ALL), *_boxes(config)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archives of the images."""
        return [split.archive for split in dataset_of(config).splits_in_use(config)]

    def files(self, config: Config) -> list[str]:
        """The sheets, below `output_dir`."""
        return [f"report/{name}" for name in sheets(config)]


class Report(Product):
    """The dataset's page.

    Args:
        products: all products that the page can show.
    """

    name = "report"
    rule = "write_page"
    version = 5
    is_audited = False
    path = "report/index.html"

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = list(products)

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """All settings that the page shows."""
        own = [*(product.name for product in self._products if product.section), "shards", "synthetic"]
        lists = {key: sorted(config[key]) for key in ("use", "products")}
        return {"classes": classes_of(config), **lists, **{key: config[key] for key in own}}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """Labels, images, the sheets, the audit, and the boxes of the splits in use."""
        tables = [(Labels.name, ALL), (ImageTable.name, ALL), (Samples.name, ALL), (AuditReport.name, ALL)]
        return [*tables, *_boxes(config)]

    def shows(self, config: Config, subject: str) -> list[str]:
        """All archives in use."""
        return list(config["use"])

    def told(self, config: Config, subject: str) -> dict[str, Any]:
        """The scores of all models in the output folder; the page asks for none itself."""
        return scored(config)

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """An archive of images."""
        return [[split.archive for split in dataset.splits.values()]]


def _boxes(config: Config) -> list[Need]:
    splits = [split.name for split in dataset_of(config).splits_in_use(config)]
    return boxes_in_use(config, *splits) if splits else []


def sheets(config: Config) -> list[str]:
    """The names of all sheets of images."""
    return [*sheet_names(config), ODD]


def sheet_names(config: Config) -> list[str]:
    """The names of the sheets of sample images of all classes; none where no image in use is of a class."""
    dataset = dataset_of(config)
    if not any(split.classes for split in dataset.splits_in_use(config)):
        return []
    classes = max(dataset.class_count(config, split) for split in dataset.splits)
    return [f"samples-{number:02}.webp" for number in range(math.ceil(classes / CLASSES_A_SHEET))]
