"""Read the bounding boxes of a split."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, versions
from imagenet_prep.dataset.boxes import write_boxes
from imagenet_prep.dataset.classes import select_classes, validation_labels
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    devkit = load_devkit(Path(snakemake.input.synsets), Path(snakemake.input.ground_truth))
    classes = select_classes(devkit.synsets, None, "original")
    split, output = snakemake.wildcards.split, Path(snakemake.output.boxes)
    image_wnids = None
    if split == "validation":
        labels = validation_labels(devkit.ground_truth, devkit.synsets, classes).to_pydict()
        image_wnids = dict(zip(labels["filename"], labels["wnid"], strict=True))
    counts = write_boxes(Path(snakemake.input.archive), split, image_wnids, classes["wnid"].to_pylist(), output)
    receipt = {**counts, "sha256": atomic.sha256(output), "format_version": versions.BOXES}
    atomic.write_json(snakemake.output.receipt, receipt)


if __name__ == "__main__":
    run(main, snakemake)
