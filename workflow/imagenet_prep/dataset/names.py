"""Names of files that follow from the dataset alone.

Imports are light, since the Snakefile needs them at every start.
"""

from __future__ import annotations

LABEL_FILES = (
    "synsets.parquet",
    "classes.csv",
    "val_labels.csv",
    "val_index.txt",
    "validation_synset_labels.txt",
    "wnid_to_index.txt",
    "hierarchy.json",
)
"""All files of `labels/`."""


def shard_name(split: str, shard: int, shards: int) -> str:
    """The field's name of a shard, such as `train-00000-of-01024`."""
    return f"{split}-{shard:05d}-of-{shards:05d}"
