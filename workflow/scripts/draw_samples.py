"""Draw the sheets of samples and of odd images that the dataset's page shows."""

from pathlib import Path
from typing import Any

from imagenet_prep.engine.receipts import described, expect_unchanged, making
from imagenet_prep.engine.tables import table_of
from imagenet_prep.job import run
from imagenet_prep.report.sheets import Sheets


def main(snakemake: Any) -> None:
    for receipt in (snakemake.input.labels, snakemake.input.images):
        expect_unchanged(receipt)
    receipts = zip(snakemake.params.box_splits, snakemake.input.boxes, strict=True)
    boxes = {split: table_of(receipt) for split, receipt in receipts}
    with making(snakemake) as made:
        drawn = Sheets.of(snakemake.config, boxes).write(snakemake.threads)
        made |= {"samples": drawn.samples, "odd": drawn.odd}
        made["files"] = described(Path(snakemake.config["output_dir"]), map(Path, snakemake.output.sheets))


if __name__ == "__main__":
    run(main, snakemake)
