"""Index files of the shards: a line a record, `offset size`, as NVIDIA DALI and the `tfrecord` package read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, versions
from imagenet_prep.formats import tfrecord


def write_indexes(shards: list[Path], folder: Path) -> dict[str, Any]:
    """Write the index of every shard under the same name into `folder`; return a receipt with the records of each.

    Raises:
        PrepError: a shard is cut off or a length in it is damaged.
    """
    records = {}
    for shard in shards:
        lines = [f"{offset} {size}\n" for offset, size in tfrecord.record_ranges(shard)]
        atomic.write_text(folder / shard.name, "".join(lines), durable=False)
        records[shard.name] = len(lines)
    atomic.settle(folder)
    return {"files": records, "format_version": versions.INDEX}
