"""Read an archive: its checksum, and whether its members are whole."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.archives import Expected, verify
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    expected = Expected(**snakemake.params.expected)
    receipt = verify(snakemake.wildcards.archive, Path(snakemake.input[0]), expected)
    atomic.write_text(snakemake.output.state, f"{snakemake.params.state}\n")
    atomic.write_json(snakemake.output.receipt, receipt)


if __name__ == "__main__":
    run(main, snakemake)
