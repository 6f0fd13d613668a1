"""Write a batch of shards straight from the archive."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.job import run
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfrecords import Reencoding, write_shards


def main(snakemake: Any) -> None:
    first, last = batches.parse(snakemake.wildcards.batch)
    shards = ShardSet.of(snakemake.config, TFRECORD, snakemake.wildcards.split)
    shards.write_down()
    receipt = write_shards(
        Path(snakemake.input.plan),
        shards.split,
        first,
        last,
        Path(snakemake.input.archive),
        shards.folder,
        Reencoding.of(snakemake.config["tfrecord"]),
    )
    atomic.write_json(snakemake.output[0], receipt)


if __name__ == "__main__":
    run(main, snakemake)
