"""Write the images of a batch of classes straight from the archive."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.formats import parquet
from imagenet_prep.job import run
from imagenet_prep.products.imagefolder import read_batch, write_folders


def main(snakemake: Any) -> None:
    given, split = snakemake.input, snakemake.wildcards.split
    classes = select_classes(parquet.read(given.synsets), **snakemake.params.classes)
    first, last = batches.parse(snakemake.wildcards.batch)
    images = read_batch(Path(given.images), split, classes["wnid"].to_pylist(), first, last)
    output_dir = Path(snakemake.config["output_dir"])
    receipt = write_folders(images, split, snakemake.params.val_dirs, Path(given.archive), output_dir)
    atomic.write_json(snakemake.output[0], receipt)


if __name__ == "__main__":
    run(main, snakemake)
