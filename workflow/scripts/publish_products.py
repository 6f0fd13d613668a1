"""Send what is not there yet, see that all has arrived as it is, and list it there at the end."""

from pathlib import Path
from typing import Any

from imagenet_prep.engine.receipts import making
from imagenet_prep.job import run
from imagenet_prep.publish.publication import publish


def main(snakemake: Any) -> None:
    with making(snakemake) as made:
        made["manifest"] = publish(Path(snakemake.config["output_dir"]), snakemake.params.settings["url"]).manifest


if __name__ == "__main__":
    run(main, snakemake)
