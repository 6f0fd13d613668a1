"""Make up an ILSVRC2012 of the configured size, with the real one's structure and its troubles."""

from pathlib import Path
from typing import Any

from imagenet_prep.job import run
from imagenet_prep.synthetic import Settings, synthesize


def main(snakemake: Any) -> None:
    archives = {name: Path(path) for name, path in snakemake.output.items()}
    synthesize(archives, Settings(**snakemake.params.settings))


if __name__ == "__main__":
    run(main, snakemake)
