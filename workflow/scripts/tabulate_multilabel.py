"""Read the multi-label annotations of the validation images into a table."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.datasets.human_accuracy import read_multilabel
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.formats import parquet
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    devkit, output = devkit_of(snakemake.input.devkit), Path(snakemake.output.table)
    classes = select_classes(devkit.synsets, **snakemake.params.settings["classes"])
    all_wnids = select_classes(devkit.synsets, None, "original")["wnid"].to_pylist()
    validation = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    annotations = archive_paths.archive_of(snakemake.config, dataset_of(snakemake.config).multilabel.archive)
    with making(snakemake) as made:
        parquet.write(read_multilabel(annotations, validation, classes, all_wnids), output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
