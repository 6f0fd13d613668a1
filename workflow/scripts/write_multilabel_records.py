"""Write the multi-label set as TensorFlow Datasets publishes it."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.classes import numbered_wnids
from imagenet_prep.formats import parquet
from imagenet_prep.job import run
from imagenet_prep.products.multilabel_records import write_multilabel_records
from imagenet_prep.products.shardset import TFRECORD_MULTILABEL
from imagenet_prep.products.tfds import describe_multilabel
from imagenet_prep.products.tfrecords import Reencoding


def main(snakemake: Any) -> None:
    given, params = snakemake.input, snakemake.params
    output_dir = Path(snakemake.config["output_dir"])
    splits = write_multilabel_records(
        Path(given.multilabel),
        Path(given.images),
        Path(given.archive),
        output_dir,
        shards=params.shards,
        seed=params.seed,
        reencoding=Reencoding.of(snakemake.config["tfrecord"]),
    )
    names = numbered_wnids(parquet.read(given.synsets), **params.classes)
    describe_multilabel(splits, names, output_dir / TFRECORD_MULTILABEL)
    atomic.write_json(snakemake.output[0], {"splits": splits})


if __name__ == "__main__":
    run(main, snakemake)
