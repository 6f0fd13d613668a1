"""Find every record of a batch of shards."""

from typing import Any

from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.products.indexes import write_indexes
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, ShardSet


def main(snakemake: Any) -> None:
    first, last = batches.units_of(snakemake.wildcards.batch)
    shards = ShardSet.of(snakemake.config, TFRECORD, snakemake.wildcards.split)
    indexes = ShardSet.of(snakemake.config, TFRECORD_INDEX, snakemake.wildcards.split)
    with making(snakemake, indexes.names()[first : last + 1]) as made:
        indexes.write_down()
        made |= write_indexes(shards.paths()[first : last + 1], indexes.output_dir)


if __name__ == "__main__":
    run(main, snakemake)
