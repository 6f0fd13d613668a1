"""Take over what an older version made in output_dir, where it is as it would be made now."""

from typing import Any

from imagenet_prep import atomic
from imagenet_prep.job import run
from imagenet_prep.products.takeover import Takeover


def main(snakemake: Any) -> None:
    atomic.write_json(snakemake.output.list, Takeover(snakemake.config).run())


if __name__ == "__main__":
    run(main, snakemake)
