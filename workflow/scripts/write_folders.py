"""Write the images of a batch of classes straight from the archive."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset import places
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT
from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import making
from imagenet_prep.engine.tables import synsets_of, table_of
from imagenet_prep.job import run
from imagenet_prep.products.imagefolder import folders_of, read_batch, write_folders


def main(snakemake: Any) -> None:
    config, settings, split = snakemake.config, snakemake.params.settings, snakemake.wildcards.split
    classes = select_classes(synsets_of(snakemake.input.devkit), **settings["classes"])
    images = read_batch(
        table_of(snakemake.input.images),
        split,
        classes["wnid"].to_pylist(),
        *batches.units_of(snakemake.wildcards.batch),
    )
    archive = places.archive_of(config, ARCHIVE_OF_SPLIT[split])
    with making(snakemake, folders_of(images, split, settings["val_dirs"])) as made:
        made |= write_folders(images, split, settings["val_dirs"], archive, Path(config["output_dir"]))


if __name__ == "__main__":
    run(main, snakemake)
