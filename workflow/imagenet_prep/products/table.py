"""Products that are one table each, a file of `tables/`."""

from __future__ import annotations

from collections.abc import Mapping

from imagenet_prep.engine.space import ImageTotals
from imagenet_prep.engine.step import Config
from imagenet_prep.products.product import Product
from imagenet_prep.progress import grouped

FOLDER = "tables"


class TableProduct(Product):
    """A table."""

    is_timed = True

    @property
    def path(self) -> str:
        """The file."""
        return f"{FOLDER}/{self.name}.parquet"

    @property
    def shown_at(self) -> str:
        """The folder of all tables."""
        return f"{FOLDER}/"

    def files(self, config: Config) -> list[str]:
        """The file."""
        return [self.path]

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """How many rows it has."""
        from pathlib import Path

        from imagenet_prep.formats import parquet

        rows = parquet.open_table(Path(config["output_dir"], self.path)).metadata.num_rows
        return f"table of {grouped(rows)} rows", super().content(config, images)[1]
