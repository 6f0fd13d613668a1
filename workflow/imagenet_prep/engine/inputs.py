"""What a job is given: the configuration, its settings, and the receipts of all that it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import numbered_wnids, select_classes
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.archive_paths import images_of
from imagenet_prep.engine.receipts import Name, unchanged
from imagenet_prep.engine.step import ALL
from imagenet_prep.engine.table_steps import DEVKIT
from imagenet_prep.engine.tables import synsets_of, table_of


class Inputs:
    """What a job is given.

    Attributes:
        config: the configuration, complete.
        settings: what of it the job may go by.
        receipts: by step and subject, of batches the split, those of what it is made from.
    """

    def __init__(self, config: Mapping[str, Any], settings: Mapping[str, Any], receipts: Iterable[str]) -> None:
        self.config = config
        self.settings = settings
        self.receipts: dict[tuple[str, str], list[str]] = {}
        for receipt in receipts:
            name = Name.parse(Path(receipt).name)
            subject = name.split if name else ALL
            self.receipts.setdefault((Path(receipt).parent.name, subject), []).append(receipt)

    @property
    def dataset(self) -> Dataset:
        """The data set."""
        return dataset_of(self.config)

    @property
    def output_dir(self) -> Path:
        """The configured folder."""
        return Path(self.config["output_dir"])

    def archive(self, split: str) -> Path:
        """The file that a split's images are in, or the folder from which the table of images names their files."""
        return images_of(self.config, self.dataset.splits[split].archive)

    def table(self, step: str, subject: str = ALL, kind: str = "parquet") -> Path:
        """A table that a step has made for other steps.

        Raises:
            PrepError: it is missing, or was changed since it was made.
        """
        return table_of(self.receipts[step, subject][0], kind)

    def file(self, step: str, path: str) -> Path:
        """A file that a step has made for people, by its path below `output_dir`; raises as `table`."""
        return unchanged(self.receipts[step, ALL][0], self.output_dir / path)

    @cached_property
    def synsets(self) -> pa.Table:
        """The devkit's synsets, schema SYNSETS."""
        return synsets_of(self.receipts[DEVKIT.name, ALL][0])

    @cached_property
    def classes(self) -> pa.Table:
        """The classes in use, schema CLASSES, by index."""
        return select_classes(self.synsets, **self.settings["classes"])

    @property
    def numbered_wnids(self) -> list[str]:
        """The WNIDs that the indices stand for, by index."""
        return numbered_wnids(self.synsets, **self.settings["classes"])

    def all_of(self, step: str) -> list[str]:
        """The receipts of all splits that a step has made."""
        return [receipt for (of, _), receipts in self.receipts.items() if of == step for receipt in receipts]
