"""Read the bounding boxes of a split."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset import places
from imagenet_prep.dataset.boxes import write_boxes
from imagenet_prep.dataset.classes import select_classes, validation_labels
from imagenet_prep.dataset.names import BOXES_OF_SPLIT
from imagenet_prep.engine.receipts import described, making, table
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    split, output = snakemake.wildcards.split, table(snakemake.output.receipt)
    devkit = devkit_of(snakemake.input.devkit)
    classes = select_classes(devkit.synsets, None, "original")
    image_wnids = None
    if split == "validation":
        labels = validation_labels(devkit.ground_truth, devkit.synsets, classes).to_pydict()
        image_wnids = dict(zip(labels["filename"], labels["wnid"], strict=True))
    archive = places.archive_of(snakemake.config, BOXES_OF_SPLIT[split])
    with making(snakemake, beside=True) as made:
        made |= write_boxes(archive, split, image_wnids, classes["wnid"].to_pylist(), output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
