"""Take away the shards that an older configuration left."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.job import run
from imagenet_prep.products.shardset import TFRECORD, ShardSet


def main(snakemake: Any) -> None:
    shards = ShardSet.of(snakemake.config, TFRECORD, snakemake.wildcards.split)
    atomic.write_json(snakemake.output[0], shards.complete([Path(path) for path in snakemake.input.batches]))


if __name__ == "__main__":
    run(main, snakemake)
