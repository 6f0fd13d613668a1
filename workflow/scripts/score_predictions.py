"""Score a model's predictions by the original, the ReaL and the multi-label annotations."""

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.devkit import load_devkit
from imagenet_prep.dataset.predictions import read_predictions
from imagenet_prep.job import run
from imagenet_prep.products.confusion import draw
from imagenet_prep.products.scores import Truth, per_class, score


def main(snakemake: Any) -> None:
    given, output = snakemake.input, snakemake.output
    devkit = load_devkit(Path(given.synsets), Path(given.ground_truth))
    truth = Truth.load(devkit, snakemake.params.classes, given.real, given.multilabel)
    path = Path(given.predictions)
    predictions = read_predictions(path, truth.filenames, truth.numbers)
    scores = score(predictions, truth, path)
    classes = per_class(predictions, truth)
    draw(predictions[:, 0], truth, classes, snakemake.wildcards.model, Path(output.picture))
    atomic.write_text(output.classes, classes.to_csv(index=False, lineterminator="\n"))
    atomic.write_json(output.scores, {"model": snakemake.wildcards.model, **scores})


if __name__ == "__main__":
    run(main, snakemake)
