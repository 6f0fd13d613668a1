"""Take away what an older configuration left of a product's split."""

from typing import Any

from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.products.leftovers import remove_leftovers


def main(snakemake: Any) -> None:
    with making(snakemake) as made:
        made |= remove_leftovers(snakemake.config, **snakemake.params.settings, receipts=snakemake.input.batches)


if __name__ == "__main__":
    run(main, snakemake)
