"""Give every image of a split its class."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import expect_class_count, select_classes
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.images import label_images, write_images
from imagenet_prep.engine.receipts import described, load, making, table
from imagenet_prep.engine.tables import devkit_of, table_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    dataset = dataset_of(snakemake.config)
    split, settings = dataset.splits[snakemake.wildcards.split], snakemake.params.settings
    devkit = devkit_of(snakemake.input.devkit)
    classes = select_classes(devkit.synsets, **settings["classes"])
    expect_class_count(classes, settings["class_count"])
    archive = archive_paths.archive_of(snakemake.config, split.archive)
    scan, output = table_of(snakemake.input.scan), table(snakemake.output.receipt)
    is_like_train = split.labels is Labels.LAYOUT and split.classes == dataset.classes
    counted = is_like_train and "source" in load(snakemake.input.scan)
    with making(snakemake, beside=True) as made:
        images = label_images(scan, split, devkit.synsets, devkit.ground_truth, classes, archive, counted=counted)
        made["images"] = write_images(images, output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
