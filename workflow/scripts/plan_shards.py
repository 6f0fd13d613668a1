"""Decide which image goes into which shard, and where."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.shards import write_plan
from imagenet_prep.engine.receipts import described, making, table
from imagenet_prep.engine.tables import synsets_of, table_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    given, settings = snakemake.input, snakemake.params.settings
    output = table(snakemake.output.receipt)
    with making(snakemake, beside=True) as made:
        made |= write_plan(
            table_of(given.images),
            table_of(given.boxes[0]) if given.boxes else None,
            select_classes(synsets_of(given.devkit), **settings["classes"]),
            split=snakemake.wildcards.split,
            shards=settings["shards"],
            seed=settings["seed"],
            label_base=settings["label_base"],
            output=output,
        )
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
