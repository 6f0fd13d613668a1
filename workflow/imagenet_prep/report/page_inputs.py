"""What a page is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Split
from imagenet_prep.products.product import Product
from imagenet_prep.report.sheets import Drawn


@dataclass(frozen=True)
class Subject:
    """What lies in an output folder, and where that is told which the page repeats.

    Attributes:
        config: the configuration, complete.
        boxes: the tables of boxes, by split.
        receipts: those of the archives in use.
        stages: the rules whose times are shown, each with the folder of its receipts.
        sheets: the names of the sheets of sample images.
        drawn: what is on all sheets.
        readers: the file that tells how to read the products.
        readme: the file that has the terms.
        scores: what `products.scored` says of the models' scores.
    """

    config: Mapping[str, Any]
    boxes: Mapping[str, Path]
    receipts: Sequence[Path]
    stages: Mapping[str, str]
    sheets: Sequence[str]
    drawn: Drawn
    readers: Path
    readme: Path
    scores: Mapping[str, str] = field(default_factory=dict)

    @property
    def output_dir(self) -> Path:
        """The folder that the page is about."""
        return Path(self.config["output_dir"])

    @property
    def dataset(self) -> Dataset:
        """What it is prepared from."""
        return dataset_of(self.config)

    @property
    def splits(self) -> list[Split]:
        """The splits in use."""
        return self.dataset.splits_in_use(self.config)

    def path(self, product: Product) -> Path:
        """Where a product lies."""
        return self.output_dir / product.path

    @property
    def version(self) -> str:
        """Of this software."""
        return version("imagenet-prep")


def version(package: str) -> str:
    """Of an installed package; "" where it is not installed, but found by its path."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
