"""What a page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Split
from imagenet_prep.products.product import Product
from imagenet_prep.report.sheets import Drawn


@dataclass(frozen=True)
class PageInputs:
    """What a page is made of, beside the files in `output_dir`.

    Attributes:
        config: the configuration, complete.
        boxes: paths of the tables of boxes (schema BOXES), by split.
        receipts: paths of the `verified/` files of the archives in use.
        stages: the rules whose times are shown, each with the folder of its receipts.
        sheets: the file names of the sheets of sample images.
        drawn: what is on all sheets.
        readers: the Markdown file on reading the products, docs/readers.md.
        readme: the Markdown file with the terms, README.md.
        scores: by model, what `products.scored` says of its scores.
    """

    config: Mapping[str, Any]
    boxes: Mapping[str, Path]
    receipts: Sequence[Path]
    stages: Mapping[str, str]
    sheets: Sequence[str]
    drawn: Drawn
    readers: Path
    readme: Path
    scores: Mapping[str, str]

    @property
    def output_dir(self) -> Path:
        """The folder that the page is about."""
        return Path(self.config["output_dir"])

    @property
    def dataset(self) -> Dataset:
        """The declaration of the data set."""
        return dataset_of(self.config)

    @property
    def splits(self) -> list[Split]:
        """The splits in use."""
        return self.dataset.splits_in_use(self.config)

    def path(self, product: Product) -> Path:
        """Where a product lies."""
        return self.output_dir / product.path


def version(package: str) -> str:
    """The version of an installed package; "" of one that is not installed, but found by PYTHONPATH."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
