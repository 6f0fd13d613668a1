"""Write the files beside a product's units that say something of all of them."""

from pathlib import Path
from typing import Any

from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.job import run
from imagenet_prep.products.registry import SPLIT_PRODUCTS


def main(snakemake: Any) -> None:
    inputs = Inputs(snakemake.config, snakemake.params.settings, snakemake.input.needs)
    with making(snakemake) as made:
        SPLIT_PRODUCTS[snakemake.params.product].describe(inputs)
        made["files"] = described(inputs.output_dir, map(Path, snakemake.output.files))


if __name__ == "__main__":
    run(main, snakemake)
