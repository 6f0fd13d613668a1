"""Read the synsets and the validation labels out of the devkit."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.devkit import read_devkit, write_devkit
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import described, making, table
from imagenet_prep.engine.tables import GROUND_TRUTH_TABLE, SYNSET_TABLE
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    archive = archive_paths.archive_of(snakemake.config, dataset_of(snakemake.config).devkit)
    tables = [table(snakemake.output.receipt, kind) for kind in (SYNSET_TABLE, GROUND_TRUTH_TABLE)]
    with making(snakemake, beside=True) as made:
        write_devkit(read_devkit(archive), *tables)
        made["files"] = described(Path(snakemake.config["output_dir"]), tables)


if __name__ == "__main__":
    run(main, snakemake)
