"""Tables that one step makes and others read: found by the receipt of the step, and compared with what that says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from imagenet_prep.datasets.devkit import SYNSETS, Devkit, load_devkit
from imagenet_prep.engine.receipts import table, unchanged
from imagenet_prep.formats import parquet

SYNSET_TABLE = "synsets.parquet"
GROUND_TRUTH_TABLE = "ground_truth.parquet"


def table_of(receipt: str, kind: str = "parquet") -> Path:
    """The table that is named after a receipt.

    Raises:
        PrepError: it is missing, or was changed since it was made.
    """
    return unchanged(receipt, table(receipt, kind))


def devkit_of(receipt: str) -> Devkit:
    """The devkit, by the receipt of its reading; raises as `table_of`."""
    return load_devkit(table_of(receipt, SYNSET_TABLE), table_of(receipt, GROUND_TRUTH_TABLE))


def synsets_of(receipt: str) -> pa.Table:
    """The devkit's synsets, schema SYNSETS, by the receipt of its reading; raises as `table_of`."""
    return parquet.read(table_of(receipt, SYNSET_TABLE), schema=SYNSETS)
