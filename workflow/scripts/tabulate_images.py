"""Put the images of all splits into one table."""

from pathlib import Path
from typing import Any

from imagenet_prep.engine.images import tabulate_images
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.engine.tables import table_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    output = Path(snakemake.output.table)
    with making(snakemake) as made:
        tabulate_images([table_of(receipt) for receipt in snakemake.input.images], output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
