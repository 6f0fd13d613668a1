"""Link an archive that is there, or download it first."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.archives import Expected
from imagenet_prep.dataset.fetch import find_or_fetch
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    find_or_fetch(
        snakemake.params.archive,
        snakemake.params.settings,
        Path(snakemake.params.archives_dir),
        snakemake.params.local,
        Path(snakemake.output[0]),
        connections=snakemake.params.connections,
        expected=Expected(**snakemake.params.expected),
        spare=Path(snakemake.params.spare),
    )


if __name__ == "__main__":
    run(main, snakemake)
