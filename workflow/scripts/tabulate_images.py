"""Put the images of all splits into one table."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.images import tabulate_images
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    tabulate_images([Path(part) for part in snakemake.input.parts], Path(snakemake.output[0]))


if __name__ == "__main__":
    run(main, snakemake)
