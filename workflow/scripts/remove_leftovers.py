"""Take away what an older configuration left of products' splits."""

from typing import Any

from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.products.leftovers import remove_leftovers


def main(snakemake: Any) -> None:
    with making(snakemake) as made:
        made["units"] = {
            part: remove_leftovers(snakemake.config, *part.split("-"), snakemake.input.batches)
            for part in snakemake.params.settings["units"]
        }


if __name__ == "__main__":
    run(main, snakemake)
