"""Score a model's predictions by the original, the ReaL and the multi-label annotations."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import described, making, unchanged
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run
from imagenet_prep.products.confusion import draw
from imagenet_prep.products.predictions import read_predictions
from imagenet_prep.products.registry import PRODUCTS
from imagenet_prep.products.scores import Truth, per_class, score


def main(snakemake: Any) -> None:
    given, output, config = snakemake.input, snakemake.output, snakemake.config
    table = Path(config["output_dir"], PRODUCTS["multilabel"].path)
    truth = Truth.load(
        devkit_of(given.devkit),
        snakemake.params.settings["classes"],
        [archive_paths.archive_of(config, dataset_of(config).real_labels)] if snakemake.params.settings["real"] else [],
        [unchanged(receipt, table) for receipt in given.multilabel],
    )
    path = Path(given.predictions)
    predictions = read_predictions(path, truth.filenames)
    scores = score(predictions, truth, path)
    classes = per_class(predictions, truth)
    with making(snakemake) as made:
        draw(predictions[:, 0], truth, classes, snakemake.wildcards.model, Path(output.picture))
        atomic.write_text(output.classes, classes.to_csv(index=False, lineterminator="\n"))
        atomic.write_json(output.scores, {"model": snakemake.wildcards.model, **scores})
        files = [Path(path) for path in (output.scores, output.classes, output.picture)]
        made["files"] = described(Path(config["output_dir"]), files)


if __name__ == "__main__":
    run(main, snakemake)
