"""Score a model's predictions by the original, the ReaL and the multi-label annotations."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, commands
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import described, making, unchanged
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run
from imagenet_prep.products import score_text
from imagenet_prep.products.confusion import draw
from imagenet_prep.products.predictions import read_predictions
from imagenet_prep.products.registry import PRODUCTS
from imagenet_prep.products.scores import Truth, all_scores, per_class

log = logging.getLogger(__name__)


def main(snakemake: Any) -> None:
    given, output, config = snakemake.input, snakemake.output, snakemake.config
    settings, model = snakemake.params.settings, snakemake.wildcards.model
    table = Path(config["output_dir"], PRODUCTS["multilabel"].path)
    truth = Truth.load(
        devkit_of(given.devkit),
        settings["classes"],
        [archive_paths.archive_of(config, dataset_of(config).real_labels)] if settings["real"] else [],
        [unchanged(receipt, table) for receipt in given.multilabel],
    )
    path = Path(given.predictions)
    seen = archive_paths.stat(path)  # before it is read: what comes afterwards is another one
    command = commands.snakemake(output.scores, config=["partial_scores=true"])
    for_part = None if settings["partial"] else f"score the part that is there: {command}"
    predictions = read_predictions(path, truth.validation_set, for_part=for_part)
    truth = truth.part(predictions.images)
    scores = all_scores(model, path, predictions, truth)
    classes = per_class(predictions.indices, truth)
    with making(snakemake) as made:
        title = f"{model} ({score_text.images(scores)})" if scores["partial"] else model
        draw(predictions.indices[:, 0], truth, classes, title, Path(output.picture))
        atomic.write_text(output.classes, classes.to_csv(index=False, lineterminator="\n"))
        atomic.write_json(output.scores, scores)
        files = [Path(path) for path in (output.scores, output.classes, output.picture)]
        made["predictions"] = seen
        made["files"] = described(Path(config["output_dir"]), files)
    for line in (score_text.in_a_line(scores), *score_text.remarks(scores)):
        log.info(line, extra={"for_log": True})  # a run shows them at its end


if __name__ == "__main__":
    run(main, snakemake)
