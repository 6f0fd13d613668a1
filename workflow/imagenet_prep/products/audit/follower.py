"""Products that are made unit by unit from those of another one, such as the indexes of shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep import atomic, commands
from imagenet_prep.products.audit.facts import Facts
from imagenet_prep.products.audit.findings import Check
from imagenet_prep.products.product import SplitProduct


class Follower:
    """Compares a split of a product with the samples of the units, of another product, that its units are made from."""

    def __init__(self, facts: Facts, product: SplitProduct, split: str, of: SplitProduct) -> None:
        self._product, self._of = product, of
        self._units = product.audited_units(facts, split)
        self._mend = commands.snakemake(f"{product.name}_{split}")
        self._check = Check(f"{product.name} {split}", {product.unit: 0})
        self._compared: set[Path] = set()

    def sums(self) -> dict[Path, str]:
        """SHA-256 of the units that are there."""
        return {unit: atomic.sha256(unit) for unit in self._units if unit.is_file()}

    def compare(self, number: int, samples: pa.Table) -> None:
        """Hold a unit against the samples of the unit of the same number; one that is missing is named elsewhere."""
        unit = self._units[number]
        self._compared.add(unit)
        if unit.is_file():
            self._check.figures[self._product.unit] += 1
            wrong = [] if self._product.fits(unit, samples) else [str(unit)]
            what = f"it does not fit the {self._of.samples} of {self._of.name}"
            self._check.add_each(what, wrong, f"rm -f {{}} && {self._mend}")

    def finish(self, *, is_explained: bool) -> Check:
        """The check; where the other product is not looked at for itself, with the units that could not be compared."""
        if not is_explained:
            left = [str(unit) for unit in self._units if unit not in self._compared]
            what = f"what it is made from is missing or damaged in {self._of.name}, so it is not looked at"
            self._check.add_each(what, left, self._mend)
        return self._check


def follows(product: SplitProduct, other: SplitProduct, split: str, config: dict[str, Any]) -> bool:
    """Whether a product is made unit by unit from those of another one."""
    return product.unit_by_unit and (other.name, split) in product.needs(config, split)
