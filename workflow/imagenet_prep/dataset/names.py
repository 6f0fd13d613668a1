"""Names of files and folders that follow from the dataset alone."""

from __future__ import annotations


def shard_name(split: str, shard: int, shards: int) -> str:
    """The field's name of a shard, such as `train-00000-of-01024`."""
    return f"{split}-{shard:05d}-of-{shards:05d}"
