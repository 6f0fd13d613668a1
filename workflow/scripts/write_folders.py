"""Write the images of a batch of classes straight from the archive."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.images import read_classes
from imagenet_prep.formats import parquet
from imagenet_prep.job import run
from imagenet_prep.products.imagefolder import COLUMNS, write_folders


def main(snakemake: Any) -> None:
    split = snakemake.wildcards.split
    if split in ("train", "validation"):
        classes = select_classes(parquet.read(snakemake.input.synsets), **snakemake.params.classes)
        first, last = batches.parse(snakemake.wildcards.batch)
        wnids = classes["wnid"].to_pylist()[first : last + 1]
        images = read_classes(Path(snakemake.input.images), wnids, COLUMNS)
    else:
        images = parquet.read(snakemake.input.images, COLUMNS)
    archive = Path(snakemake.input.archive)
    output_dir = Path(snakemake.config["output_dir"])
    receipt = write_folders(images, split, snakemake.params.val_dirs, archive.parent, output_dir)
    atomic.write_json(snakemake.output[0], receipt)


if __name__ == "__main__":
    run(main, snakemake)
