"""Write the dataset's page."""

from pathlib import Path
from typing import Any

from imagenet_prep.job import run
from imagenet_prep.report.page import Page


def main(snakemake: Any) -> None:
    given, params = snakemake.input, snakemake.params
    page = Page(
        config={**snakemake.config, "products": params.products},
        splits=params.splits,
        boxes={split: Path(path) for split, path in zip(params.box_splits, given.boxes, strict=True)},
        archives=params.archives,
        receipts=[Path(receipt) for receipt in given.receipts],
        stages=params.stages,
        sheets=[Path(sheet).name for sheet in snakemake.output.sheets],
        readers=Path(params.readers),
        readme=Path(params.readme),
    )
    page.write(snakemake.threads)


if __name__ == "__main__":
    run(main, snakemake)
