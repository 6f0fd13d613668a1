"""Write a batch of units of a product: class folders, shards, or indexes."""

from typing import Any

from imagenet_prep.engine import batches
from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.products.registry import SPLIT_PRODUCTS


def main(snakemake: Any) -> None:
    product, split = SPLIT_PRODUCTS[snakemake.params.product], snakemake.wildcards.split
    inputs = Inputs(snakemake.config, snakemake.params.settings, snakemake.input.needs)
    first, last = batches.units_of(snakemake.wildcards.batch)
    with making(snakemake, product.units(inputs, split)[first : last + 1]) as made:
        made |= product.make(inputs, split, first, last)


if __name__ == "__main__":
    run(main, snakemake)
