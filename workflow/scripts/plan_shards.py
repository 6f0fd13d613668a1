"""Decide which image goes into which shard, and where."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.shards import write_plan
from imagenet_prep.formats import parquet
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    params = snakemake.params
    boxes = snakemake.input.boxes
    receipt = write_plan(
        Path(snakemake.input.images),
        Path(boxes) if boxes else None,
        select_classes(parquet.read(snakemake.input.synsets), **params.classes),
        split=snakemake.wildcards.split,
        shards=params.shards,
        seed=params.seed,
        label_base=params.label_base,
        output=Path(snakemake.output.plan),
    )
    atomic.write_json(snakemake.output.receipt, receipt)


if __name__ == "__main__":
    run(main, snakemake)
