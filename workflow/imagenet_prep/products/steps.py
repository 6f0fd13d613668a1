"""The steps around the products: plans, sidecars, removal, scores, copies.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.receipts import LEFTOVERS, UNUSED
from imagenet_prep.engine.space import configured_parts
from imagenet_prep.engine.step import ALL, Config, Need, Step, classes_of, part_of
from imagenet_prep.engine.table_steps import DEVKIT
from imagenet_prep.products.audit.audit_report import AuditReport
from imagenet_prep.products.multilabel import Multilabel
from imagenet_prep.products.product import Product, SplitProduct
from imagenet_prep.products.shards import ShardedProduct


class Plan(Step):
    """Which image goes into which shard of a product, and where; its subject is `<product>-<split>`.

    Args:
        products: all products in shards.
    """

    name = "plan"
    rule = "plan_shards"
    version = 2
    layout = 3
    is_between = True
    is_timed = True

    def __init__(self, products: Iterable[ShardedProduct]) -> None:
        self._products = {product.name: product for product in products}

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Those of the product."""
        product, _, split = subject.partition("-")
        return self._products[product].plan_settings(config, split)

    def needs(self, config: Config, subject: str) -> list[Need]:
        """What the product's samples are made of, less their bytes."""
        product, _, split = subject.partition("-")
        return self._products[product].plan_needs(config, split)

    def inputs(self, config: Config, subject: str) -> list[Need]:
        """These, and the devkit for the names of the classes."""
        return [*self.needs(config, subject), (DEVKIT.name, ALL)]


class Description(Step):
    """The sidecars of a product: files that say something of all its units."""

    def __init__(self, product: SplitProduct) -> None:
        self.product = product
        self.name = product.description
        self.rule = f"describe_{product.name}"

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Those of the product."""
        return self.product.description_settings(config)

    def needs(self, config: Config, subject: str) -> list[Need]:
        """All units, and the devkit for the names of the classes."""
        splits = self.product.splits_in_use(config)
        return [*((self.product.name, split) for split in splits), (DEVKIT.name, ALL)]


class Leftovers(Step):
    """Takes away the units that an older configuration left; its subject is `<product>-<split>`, or all configured."""

    name = LEFTOVERS
    rule = "remove_leftovers"
    version = 2

    def __init__(self, products: Iterable[SplitProduct]) -> None:
        self._products = {product.name: product for product in products}

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """How many units each split has."""
        needs = self.needs(config, subject)
        return {"units": {part_of(*need): self._products[need[0]].count(config, need[1]) for need in needs}}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The product, or all of them."""
        if subject != ALL:
            product, _, split = subject.partition("-")
            return [(product, split)]
        return [need for need in configured_parts(config, self._products) if need[0] in self._products]


class Unused(Step):
    """Takes away what was made of archives that are not in use any more."""

    name = UNUSED
    rule = "remove_unused"

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = list(products)

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The splits that each product keeps, and its sidecars; of one that is made as a whole, whether it is kept."""
        kept: dict[str, list[str]] = {}
        for product in self._products:
            if isinstance(product, SplitProduct):
                kept[product.name] = product.splits_in_use(config)
                if product.sidecars:
                    kept[product.description] = [ALL] if kept[product.name] else []
            else:
                kept[product.name] = [ALL] if product.is_in_use(config) else []
        return {"kept": kept}


class Predictions(Step):
    """The predictions of a made-up model."""

    name = "predictions"
    rule = "predict_demo"

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, and how they are numbered."""
        return {"classes": classes_of(config)}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit."""
        return [(DEVKIT.name, ALL)]


class Scores(Step):
    """The scores of a model's predictions; they are asked for by the names of their files, and are no product.

    Attributes:
        path: where they lie below `output_dir`.
    """

    name = "scores"
    rule = "score_predictions"
    path = "scores/"
    layout = 3

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, whether there are other labels, and whether a part of the images is enough."""
        real = bool(self.reads(config, subject))
        return {"classes": classes_of(config), "real": real, "partial": config["partial_scores"]}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit, and the annotations with several labels an image where they are in use."""
        annotated = dataset_of(config).multilabel.archive in config["use"]
        return [(DEVKIT.name, ALL), *([(Multilabel.name, ALL)] if annotated else [])]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the other labels, where it is in use."""
        return [name for name in (dataset_of(config).real_labels,) if name in config["use"]]


class Published(Step):
    """Copies what was audited to a store or a folder."""

    name = "published"
    rule = "publish_products"

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The address."""
        return {"url": config["publish"]["url"]}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The audit."""
        return [(AuditReport.name, ALL)]
