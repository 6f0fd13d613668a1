"""What jobs of products are given: tables and products with the receipts that the jobs before have left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

import builders
from configuration.official import overlaid
from engine.outputs import NEW, job
from imagenet_prep.configuration import complete
from imagenet_prep.engine import receipts
from imagenet_prep.engine.images import write_images
from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.tables import SYNSET_TABLE
from imagenet_prep.formats import parquet
from imagenet_prep.products.registry import SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS

ARCHIVES = {"train": "train.tar", "train_t3": "train_t3.tar", "val": "val.tar", "test": "test.tar"}


class Jobs:
    """A folder of archives, one of outputs, and what jobs have made there of a devkit of three classes.

    Args:
        folder: of both.
        changes: of the configuration, beside the names of the archives of images.
    """

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        self.output_dir, self.archives = folder / "out", folder / "archives"
        own = {"output_dir": str(self.output_dir), "archives_dir": str(self.archives), "products": ["labels"]}
        files = {"archives": {name: {"file": file} for name, file in ARCHIVES.items()}}
        self.config = complete(overlaid(dict(changes or {}), {**own, **files}), folder)
        self.receipts: list[str] = []
        self.made("devkit", "all", {SYNSET_TABLE: lambda path: parquet.write(builders.synsets(), path)})

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Another configuration of the same folders."""
        self.config = complete(overlaid(dict(changes), self.config), self.output_dir.parent)

    def made(self, step: str, subject: str, tables: Mapping[str, Callable[[Path], object]]) -> Path:
        """Have a step make its tables, by kind; return its receipt."""
        path = self._receipt(step, subject)
        with receipts.making(job(path), beside=True) as body:
            for kind, write in tables.items():
                write(receipts.table(path, kind))
            body["files"] = receipts.described(self.output_dir, [receipts.table(path, kind) for kind in tables])
        return path

    def file(self, step: str, path: Path) -> None:
        """Note a file that a step has made."""
        with receipts.making(job(self._receipt(step, "all"))) as body:
            body["files"] = receipts.described(self.output_dir, [path])

    def _receipt(self, step: str, subject: str) -> Path:
        path = self.output_dir / "state" / step / f"{subject}.{NEW}.1.json"
        if str(path) not in self.receipts:
            self.receipts.append(str(path))
        return path

    def images(self, split: str, images: Mapping[str, bytes]) -> pa.Table:
        """An archive of these images, and the table of them, as the step makes it; return that."""
        table = builders.labelled(self.archives, split, images)
        self.made("images", split, {"parquet": lambda path: write_images([table], path)})
        return table

    def plan(self, product: str, split: str) -> Path:
        """Have the plan of a product made; return the table."""
        it, subject = SHARDED_PRODUCTS[product], f"{product}-{split}"
        inputs = self.given("plan", subject)
        return receipts.table(self.made("plan", subject, {"parquet": lambda path: it.plan(inputs, split, path)}))

    def make(self, product: str, split: str, first: int, last: int) -> receipts.Body:
        """Have some units of a product made; return what the receipt says of them."""
        it, inputs = SPLIT_PRODUCTS[product], self.given(product, split)
        receipt = self._receipt(product, f"{split}-{first:05d}-{last:05d}-of-{last + 1:05d}")
        with receipts.making(job(receipt), it.units(inputs, split)[first : last + 1]) as body:
            made = it.make(inputs, split, first, last)
            body |= made
        return made

    def given(self, step: str, subject: str = "all") -> Inputs:
        """What a job of a step is given."""
        return Inputs(self.config, STEPS[step].settings(self.config, subject), self.receipts)
