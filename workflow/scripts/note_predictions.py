"""Take down that a model's predictions are others than those that were scored, whatever their time."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.job import run
from imagenet_prep.products.prediction_paths import forget


def main(snakemake: Any) -> None:
    path = Path(snakemake.output.change)
    forget(path.parent, snakemake.wildcards.model)
    atomic.write_json(path, {"model": snakemake.wildcards.model})


if __name__ == "__main__":
    run(main, snakemake)
