"""Write the dataset's page."""

from pathlib import Path
from typing import Any

from imagenet_prep.engine.receipts import described, expect_unchanged, load, making
from imagenet_prep.engine.step import ALL
from imagenet_prep.engine.tables import table_of
from imagenet_prep.job import run
from imagenet_prep.products.registry import PAGE
from imagenet_prep.report.page import Page
from imagenet_prep.report.sheets import Drawn


def main(snakemake: Any) -> None:
    given, params = snakemake.input, snakemake.params
    page = Page(
        config=snakemake.config,
        boxes={split: table_of(receipt) for split, receipt in zip(params.box_splits, given.boxes, strict=True)},
        receipts=[Path(receipt) for receipt in params.verified],
        stages=params.stages,
        sheets=params.sheets,
        drawn=Drawn.parse(load(given.samples)),
        readers=Path(params.readers),
        readme=Path(params.readme),
        scores=PAGE.told(snakemake.config, ALL),
    )
    for receipt in (given.labels, given.images):
        expect_unchanged(receipt)
    with making(snakemake) as made:
        page.write()
        made["told"] = page.scores
        made["files"] = described(page.output_dir, map(Path, snakemake.output.page))


if __name__ == "__main__":
    run(main, snakemake)
