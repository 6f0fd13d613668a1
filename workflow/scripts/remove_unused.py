"""Take away what was made of archives that are not in use any more."""

from typing import Any

from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.products.leftovers import remove_unused


def main(snakemake: Any) -> None:
    with making(snakemake):
        remove_unused(snakemake.config, **snakemake.params.settings)


if __name__ == "__main__":
    run(main, snakemake)
