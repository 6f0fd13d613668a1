"""Read an image archive once: its checksum, and every image in it."""

from typing import Any

from imagenet_prep import archive_reports
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_check import Expected, expected_of
from imagenet_prep.engine.receipts import making, table
from imagenet_prep.engine.scan import scan
from imagenet_prep.engine.verification import verify
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    name, images = snakemake.wildcards.archive, table(snakemake.output.receipt)
    dataset = dataset_of(snakemake.config)
    expected = expected_of(snakemake.config, name, Expected(**snakemake.params.settings))
    below = archive_paths.below(snakemake.config, name)

    def read() -> None:
        with making(snakemake, beside=True) as made:
            made |= verify(
                snakemake.config, name, lambda archive: scan(name, archive, expected, images, dataset, below), [images]
            )

    archive_reports.gather(snakemake, [snakemake.output.receipt], read)


if __name__ == "__main__":
    run(main, snakemake)
