"""Write a batch of shards straight from the archive."""

from typing import Any

from imagenet_prep.dataset import places
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT
from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import making
from imagenet_prep.engine.tables import table_of
from imagenet_prep.job import run
from imagenet_prep.products.shardset import TFRECORD, ShardSet
from imagenet_prep.products.tfrecords import Reencoding, write_shards


def main(snakemake: Any) -> None:
    config, split = snakemake.config, snakemake.wildcards.split
    first, last = batches.units_of(snakemake.wildcards.batch)
    shards = ShardSet.of(config, TFRECORD, split)
    plan, archive = table_of(snakemake.input.plan), places.archive_of(config, ARCHIVE_OF_SPLIT[split])
    with making(snakemake, shards.names()[first : last + 1]) as made:
        shards.write_down()
        made |= write_shards(plan, shards, first, last, archive, Reencoding.of(snakemake.params.settings))


if __name__ == "__main__":
    run(main, snakemake)
