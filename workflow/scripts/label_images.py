"""Give every image of a split its class."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.classes import expect_class_count, select_classes
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.dataset.images import label_images, write_images
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    devkit = load_devkit(Path(snakemake.input.synsets), Path(snakemake.input.ground_truth))
    classes = select_classes(devkit.synsets, **snakemake.params.classes)
    expect_class_count(classes, snakemake.params.class_count)
    images = label_images(
        Path(snakemake.input.scan),
        snakemake.wildcards.split,
        devkit.synsets,
        devkit.ground_truth,
        classes,
        Path(snakemake.params.archive),
    )
    atomic.write_json(snakemake.output.receipt, write_images(images, Path(snakemake.output.images)))


if __name__ == "__main__":
    run(main, snakemake)
