"""Write what TensorFlow Datasets has to know of the shards."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.classes import numbered_wnids
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.engine.tables import synsets_of
from imagenet_prep.job import run
from imagenet_prep.products.shardset import files_by_split
from imagenet_prep.products.tfds import describe_imagenet, label_names


def main(snakemake: Any) -> None:
    given, settings = snakemake.input, snakemake.params.settings
    names = label_names(numbered_wnids(synsets_of(given.devkit), **settings["classes"]), settings["label_base"])
    files = [Path(path) for path in snakemake.output.description]
    with making(snakemake) as made:
        describe_imagenet(files_by_split(given.batches), names, files[0].parent)
        made["files"] = described(Path(snakemake.config["output_dir"]), files)


if __name__ == "__main__":
    run(main, snakemake)
