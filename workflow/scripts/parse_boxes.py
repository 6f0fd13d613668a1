"""Read the bounding boxes of a split."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.box_annotations import write_boxes
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import described, making, table
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    split = dataset_of(snakemake.config).splits[snakemake.wildcards.split]
    output = table(snakemake.output.receipt)
    devkit = devkit_of(snakemake.input.devkit)
    classes = select_classes(devkit.synsets, None, "original")
    image_wnids = None
    if split.labels is Labels.GROUND_TRUTH:
        labels = validation_labels(devkit.ground_truth, devkit.synsets, classes).to_pydict()
        image_wnids = dict(zip(labels["filename"], labels["wnid"], strict=True))
    archive = archive_paths.archive_of(snakemake.config, split.boxes)
    with making(snakemake, beside=True) as made:
        made |= write_boxes(archive, split.name, image_wnids, classes["wnid"].to_pylist(), output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
