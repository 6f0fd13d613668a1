"""Take away what was made of archives that are not in use any more."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.job import run
from imagenet_prep.products.shardset import remove_splits
from imagenet_prep.products.tree import remove_trees


def main(snakemake: Any) -> None:
    output_dir = Path(snakemake.config["output_dir"])
    remove_trees(output_dir, snakemake.params.splits)
    remove_splits(output_dir, snakemake.params.splits)
    atomic.write_json(snakemake.output[0], snakemake.params.splits)


if __name__ == "__main__":
    run(main, snakemake)
