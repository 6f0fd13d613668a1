"""Put the bounding boxes of both splits into one table."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.boxes import tabulate_boxes
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    parts = [Path(part) for part in snakemake.input.parts]
    tabulate_boxes(parts, snakemake.params.wnids, Path(snakemake.output[0]))


if __name__ == "__main__":
    run(main, snakemake)
