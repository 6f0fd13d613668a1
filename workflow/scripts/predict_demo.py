"""Make up the predictions of a model that errs by a rule."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.classes import select_classes, validation_labels
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.job import run
from imagenet_prep.synthetic.model_predictions import predictions


def main(snakemake: Any) -> None:
    devkit = load_devkit(Path(snakemake.input.synsets), Path(snakemake.input.ground_truth))
    classes = select_classes(devkit.synsets, **snakemake.params.classes)
    labels = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    lines = predictions(labels["filename"].to_pylist(), labels["index"].to_pylist(), classes["index"].to_pylist())
    atomic.write_text(snakemake.output[0], "".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    run(main, snakemake)
