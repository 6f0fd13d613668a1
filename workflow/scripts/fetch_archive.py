"""Link an archive that is there, or download it first."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset import places
from imagenet_prep.dataset.archives import Expected
from imagenet_prep.dataset.fetch import find_or_fetch
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    # Of the configuration, since another address or place makes nothing stale.
    config, name = snakemake.config, snakemake.wildcards.archive
    link = places.link_of(config, name)
    find_or_fetch(
        name,
        config["archives"][name],
        Path(config["archives_dir"]),
        config["download"]["local"],
        link,
        connections=config["download"]["connections"],
        expected=Expected(**snakemake.params.expected),
        spare=places.spare_of(config),
    )
    atomic.write_json(snakemake.output.receipt, {"file": link.name})


if __name__ == "__main__":
    run(main, snakemake)
