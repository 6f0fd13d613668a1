"""Read an archive: its checksum, and whether its members are whole."""

from typing import Any

from imagenet_prep import archive_reports
from imagenet_prep.engine import archive_check, archive_paths
from imagenet_prep.engine.receipts import making
from imagenet_prep.engine.verification import verify
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    name = snakemake.wildcards.archive
    expected = archive_check.expected_of(snakemake.config, name, archive_check.Expected(**snakemake.params.settings))
    below = archive_paths.below(snakemake.config, name)

    def read() -> None:
        with making(snakemake, beside=True) as made:
            made |= verify(snakemake.config, name, lambda archive: archive_check.verify(name, archive, expected, below))

    archive_reports.gather(snakemake, [snakemake.output.receipt], read)


if __name__ == "__main__":
    run(main, snakemake)
