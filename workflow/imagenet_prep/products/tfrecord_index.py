"""Index files of the TFRecords: a line a record, `offset size`, as NVIDIA DALI and the `tfrecord` package read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.engine.space import ImageTotals, Space, of_even_files
from imagenet_prep.engine.step import Config, Need
from imagenet_prep.products.shards import ShardedProduct
from imagenet_prep.products.tfrecord import TFRecord

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.engine.inputs import Inputs

_LINE = 18  # bytes


class TFRecordIndex(ShardedProduct):
    """An index of every shard of the TFRecords, under the same name."""

    name = "tfrecord_index"
    version = 1
    jobs = ("index_shards",)
    unit = "indexes"
    goes_through_images = False
    unit_by_unit = True

    def shards_key(self, split: str) -> str:
        """That of the TFRecords."""
        return f"{TFRecord.name}.{split}_shards"

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """All follows from the shards."""
        return {}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The shards."""
        return [(TFRecord.name, subject)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """No archive."""
        return []

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """An index a shard."""
        return self._sets(inputs, split)[1].names()

    def _sets(self, inputs: Inputs, split: str) -> tuple[ShardSet, ShardSet]:
        shards = self.count(inputs.config, split)
        return (
            ShardSet(inputs.output_dir, TFRecord.name, split, shards),
            ShardSet(inputs.output_dir, self.name, split, shards),
        )

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Find the records of each shard by their lengths.

        Raises:
            PrepError: a shard is cut off or a length in it is damaged.
        """
        from imagenet_prep import atomic
        from imagenet_prep.engine.receipts import described
        from imagenet_prep.formats import tfrecord

        shards, indexes = self._sets(inputs, split)
        indexes.write_down()
        records = {}
        for shard, index in list(zip(shards.paths(), indexes.paths(), strict=True))[first : last + 1]:
            lines = [f"{offset} {size}\n" for offset, size in tfrecord.record_ranges(shard)]
            atomic.write_text(index, "".join(lines), durable=False)
            records[index] = len(lines)
        atomic.settle(indexes.folder)
        files = described(inputs.output_dir, records)
        for content, n in zip(files.values(), records.values(), strict=True):
            content["records"] = n
        return {"files": files}

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """A line an image."""
        return of_even_files(images.count * _LINE, self.count(config, split), block)

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """None: all follows from the shards."""
        return []

    def fits(self, unit: Path, samples: pa.Table) -> bool:
        """Whether an index has the places of the records that were read."""
        places = zip(samples["offset"].to_pylist(), samples["size"].to_pylist(), strict=True)
        lines = "".join(f"{offset} {size}\n" for offset, size in places)
        return unit.read_bytes() == lines.encode()
