"""Read the synsets and the validation labels out of the devkit."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.devkit import read_devkit, write_devkit
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    devkit = read_devkit(Path(snakemake.input.devkit))
    write_devkit(devkit, Path(snakemake.output.synsets), Path(snakemake.output.ground_truth))


if __name__ == "__main__":
    run(main, snakemake)
