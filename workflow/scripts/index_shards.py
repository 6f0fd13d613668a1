"""Find every record of a batch of shards."""

from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.job import run
from imagenet_prep.products.indexes import write_indexes
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, ShardSet


def main(snakemake: Any) -> None:
    first, last = batches.parse(snakemake.wildcards.batch)
    shards = ShardSet.of(snakemake.config, TFRECORD, snakemake.wildcards.split)
    indexes = ShardSet.of(snakemake.config, TFRECORD_INDEX, snakemake.wildcards.split)
    indexes.write_down()
    receipt = write_indexes(shards.paths()[first : last + 1], indexes.folder)
    atomic.write_json(snakemake.output[0], receipt)


if __name__ == "__main__":
    run(main, snakemake)
