"""Link archives that are there, or download them first."""

from functools import partial
from typing import Any

from imagenet_prep import archive_reports, atomic
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.fetch import find_or_fetch
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    # Of the configuration, since another address or place makes nothing stale.
    config, params = snakemake.config, snakemake.params
    for name, expected, receipt in zip(params.archives, params.expected, snakemake.output.receipts, strict=True):
        archive_reports.gather(snakemake, [receipt], partial(_fetch, config, name, Expected(**expected), receipt))


def _fetch(config: dict[str, Any], name: str, expected: Expected, receipt: str) -> None:
    find_or_fetch(config, name, expected)
    atomic.write_json(receipt, {"file": archive_paths.link_of(config, name).name})


if __name__ == "__main__":
    run(main, snakemake)
