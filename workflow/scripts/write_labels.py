"""Write the classes in every numbering that people use, and the validation labels in all of them."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.job import run
from imagenet_prep.products.labels import write_labels


def main(snakemake: Any) -> None:
    devkit = load_devkit(Path(snakemake.input.synsets), Path(snakemake.input.ground_truth))
    classes = select_classes(devkit.synsets, **snakemake.params.classes)
    write_labels(devkit.synsets, devkit.ground_truth, classes, Path(snakemake.output[0]).parent)


if __name__ == "__main__":
    run(main, snakemake)
