"""Read the multi-label annotations of the validation images into a table."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.classes import select_classes, validation_labels
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.dataset.multilabel import read_multilabel
from imagenet_prep.formats import parquet
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    devkit = load_devkit(Path(snakemake.input.synsets), Path(snakemake.input.ground_truth))
    classes = select_classes(devkit.synsets, **snakemake.params.classes)
    all_wnids = select_classes(devkit.synsets, None, "original")["wnid"].to_pylist()
    validation = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    table = read_multilabel(Path(snakemake.input.annotations), validation, classes, all_wnids)
    parquet.write(table, snakemake.output[0])


if __name__ == "__main__":
    run(main, snakemake)
