"""Make up the predictions of a model that errs by a rule."""

from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.engine.receipts import making
from imagenet_prep.engine.tables import devkit_of
from imagenet_prep.job import run
from imagenet_prep.synthetic.model_predictions import predictions


def main(snakemake: Any) -> None:
    devkit = devkit_of(snakemake.input.devkit)
    classes = select_classes(devkit.synsets, **snakemake.params.settings["classes"])
    labels = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    lines = predictions(
        labels["filename"].to_pylist(), labels["class_index"].to_pylist(), classes["class_index"].to_pylist()
    )
    with making(snakemake):
        atomic.write_text(snakemake.output.predictions, "".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    run(main, snakemake)
