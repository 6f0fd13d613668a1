"""Decide which image goes into which shard of a product, and where."""

from typing import Any

from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.receipts import described, making, table
from imagenet_prep.job import run
from imagenet_prep.products.registry import SHARDED_PRODUCTS


def main(snakemake: Any) -> None:
    inputs = Inputs(snakemake.config, snakemake.params.settings, snakemake.input.needs)
    product, output = SHARDED_PRODUCTS[snakemake.wildcards.product], table(snakemake.output.receipt)
    with making(snakemake, beside=True) as made:
        made |= product.plan(inputs, snakemake.wildcards.split, output)
        made["files"] = described(inputs.output_dir, [output])


if __name__ == "__main__":
    run(main, snakemake)
