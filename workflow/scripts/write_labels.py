"""Write the classes in every numbering that people use, and the validation labels in all of them."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run
from imagenet_prep.products.labels import write_labels


def main(snakemake: Any) -> None:
    devkit = devkit_of(snakemake.input.devkit)
    classes = select_classes(devkit.synsets, **snakemake.params.settings["classes"])
    files = [Path(path) for path in snakemake.output.labels]
    with making(snakemake) as made:
        write_labels(devkit.synsets, devkit.ground_truth, classes, files[0].parent)
        made["files"] = described(Path(snakemake.config["output_dir"]), files)


if __name__ == "__main__":
    run(main, snakemake)
