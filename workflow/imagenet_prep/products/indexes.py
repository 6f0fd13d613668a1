"""Index files of the shards: a line a record, `offset size`, as NVIDIA DALI and the `tfrecord` package read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine.receipts import described
from imagenet_prep.formats import tfrecord
from imagenet_prep.products.shardset import TFRECORD_INDEX


def write_indexes(shards: list[Path], output_dir: Path) -> dict[str, Any]:
    """Write the index of every shard under the same name; return what the receipt says: each file, with its `records`.

    Raises:
        PrepError: a shard is cut off or a length in it is damaged.
    """
    folder = output_dir / TFRECORD_INDEX
    records = {}
    for shard in shards:
        lines = [f"{offset} {size}\n" for offset, size in tfrecord.record_ranges(shard)]
        atomic.write_text(folder / shard.name, "".join(lines), durable=False)
        records[folder / shard.name] = len(lines)
    atomic.settle(folder)
    files = described(output_dir, records)
    for content, n in zip(files.values(), records.values(), strict=True):
        content["records"] = n
    return {"files": files}
