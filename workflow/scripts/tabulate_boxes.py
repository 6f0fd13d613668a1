"""Put the bounding boxes of both splits into one table."""

from pathlib import Path
from typing import Any

from imagenet_prep.datasets.box_annotations import tabulate_boxes
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.engine.tables import table_of
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    output = Path(snakemake.output.table)
    with making(snakemake) as made:
        parts = [table_of(receipt) for receipt in snakemake.input.boxes]
        tabulate_boxes(parts, snakemake.params.settings["wnids"], output)
        made["files"] = described(Path(snakemake.config["output_dir"]), [output])


if __name__ == "__main__":
    run(main, snakemake)
