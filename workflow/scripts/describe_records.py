"""Write what TensorFlow Datasets has to know of the shards."""

import json
from pathlib import Path
from typing import Any

from imagenet_prep.dataset.classes import numbered_wnids
from imagenet_prep.formats import parquet
from imagenet_prep.job import run
from imagenet_prep.products.tfds import describe_imagenet, label_names


def main(snakemake: Any) -> None:
    splits = [json.loads(Path(path).read_text()) for path in snakemake.input.splits]
    wnids = numbered_wnids(parquet.read(snakemake.input.synsets), **snakemake.params.classes)
    names = label_names(wnids, snakemake.params.label_base)
    describe_imagenet(splits, names, Path(snakemake.output.features).parent)


if __name__ == "__main__":
    run(main, snakemake)
