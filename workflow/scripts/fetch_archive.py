"""Link an archive that is there, or download it first."""

from pathlib import Path
from typing import Any

from imagenet_prep.dataset.fetch import fetch
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    settings = snakemake.params.settings
    archive = Path(snakemake.params.archives_dir) / settings["file"]
    fetch(archive, settings["url"], snakemake.params.local, Path(snakemake.output[0]))


if __name__ == "__main__":
    run(main, snakemake)
