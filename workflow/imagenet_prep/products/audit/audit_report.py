"""The audit as a product: what it is made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imagenet_prep.checksums import SUMS
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.receipts import LEFTOVERS, UNUSED
from imagenet_prep.engine.step import ALL, Config, Need
from imagenet_prep.products.image_table import ImageTable
from imagenet_prep.products.labels import Labels
from imagenet_prep.products.product import Product


class AuditReport(Product):
    """What the audit of all configured products found.

    Args:
        products: all products that it can look at.
    """

    name = "audit"
    rule = "audit_products"
    version = 3
    is_audited = False
    is_timed = True
    path = "audit.json"

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = list(products)

    def audited(self, config: Config) -> list[Product]:
        """The configured products that it looks at."""
        return [it for it in self._products if it.name in config["products"] and it.is_audited]

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which products, splits and archives it is about."""
        splits = [split.name for split in dataset_of(config).splits_in_use(config)]
        names = sorted(product.name for product in self.audited(config))
        return {"products": names, "splits": splits, "use": sorted(config["use"])}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The audited products, and the labels and tables that they are compared with."""
        products = sorted(self.audited(config), key=lambda product: product.name)
        needs = [(Labels.name, ALL), (ImageTable.name, ALL), (UNUSED, ALL)]
        needs += [need for product in products for need in product.known_by(config)]
        return list(dict.fromkeys(needs))

    def inputs(self, config: Config, subject: str) -> list[Need]:
        """The same, and the removal of what an older configuration left."""
        return [*self.needs(config, subject), (LEFTOVERS, ALL)]

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """An archive of images."""
        return [[split.archive for split in dataset.splits.values()]]

    def files(self, config: Config) -> list[str]:
        """The report, and the checksums of all that is published."""
        return [self.path, SUMS]

    def made(self, config: Config) -> str:
        """How many checks passed."""
        import json

        report = json.loads(Path(config["output_dir"], self.path).read_text(encoding="utf-8"))
        return f"all {len(report['checks'])} checks passed"
