"""Take away what an older configuration left in a tree."""

import json
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.job import run
from imagenet_prep.products.tree import complete_tree


def main(snakemake: Any) -> None:
    paths = [Path(path) for path in snakemake.input.batches]
    receipts = [json.loads(path.read_text()) for path in paths]
    split = snakemake.wildcards.split
    receipt = complete_tree(Path(snakemake.config["output_dir"]), split, receipts)
    batches.remove_others(paths[0].parent, split, paths)
    atomic.write_json(snakemake.output[0], receipt)


if __name__ == "__main__":
    run(main, snakemake)
