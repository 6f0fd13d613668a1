"""Make up an ILSVRC2012 of the configured size, with the real one's structure and its troubles."""

from pathlib import Path
from typing import Any

from imagenet_prep.job import run
from imagenet_prep.synthetic import Settings, make_archives


def main(snakemake: Any) -> None:
    archives = {name: Path(path) for name, path in snakemake.params.archives.items()}
    make_archives(archives, Settings(**snakemake.params.settings), Path(snakemake.output.receipt))


if __name__ == "__main__":
    run(main, snakemake)
