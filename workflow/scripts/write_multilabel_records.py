"""Write the multi-label set as TensorFlow Datasets publishes it."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset import places
from imagenet_prep.dataset.classes import numbered_wnids
from imagenet_prep.engine.receipts import making, unchanged
from imagenet_prep.engine.tables import synsets_of, table_of
from imagenet_prep.job import run
from imagenet_prep.products.multilabel_records import write_multilabel_records
from imagenet_prep.products.tfrecords import Reencoding


def main(snakemake: Any) -> None:
    given, settings, output_dir = snakemake.input, snakemake.params.settings, Path(snakemake.config["output_dir"])
    multilabel = unchanged(given.multilabel, output_dir / "tables" / "multilabel.parquet")
    with making(snakemake) as made:
        made["files"] = write_multilabel_records(
            multilabel,
            table_of(given.images),
            places.archive_of(snakemake.config, "val"),
            output_dir,
            shards=settings["shards"],
            seed=settings["seed"],
            reencoding=Reencoding.of(settings),
            names=numbered_wnids(synsets_of(given.devkit), **settings["classes"]),
        )


if __name__ == "__main__":
    run(main, snakemake)
