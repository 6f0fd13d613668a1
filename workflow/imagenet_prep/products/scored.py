"""Which models have scores, as receipts say. Imports are light, since the Snakefile asks here at every start."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from imagenet_prep.engine.receipts import STATE, Body, load, names
from imagenet_prep.engine.step import Config, classes_of
from imagenet_prep.errors import PrepError
from imagenet_prep.products.steps import Scores

CHANGED = "changed"


class Measure(NamedTuple):
    """One of the scores: its name for people, its key in a file of scores and the one within that, and what it says."""

    name: str
    key: str
    within: str
    text: str


MEASURES = (
    Measure("top-1", "top1", "", "share of the images whose label is the best prediction"),
    Measure("top-5", "top5", "", "share of the images whose label is among the first five predictions"),
    Measure("mean per class", "mean_per_class", "", "mean of the classes' top-1 accuracies"),
    Measure("ReaL", "real", "accuracy", "top-1 by the ReaL labels; images without any are left out"),
    Measure(
        "multi-label",
        "multilabel",
        "accuracy",
        "mean over the classes, without problematic images; a correct or an unclear label counts",
    ),
    Measure("ImageNet-M wrong", "imagenet_m", "wrong", "how many of its hard images the model still gets wrong"),
)


def scored(config: Config) -> dict[str, str]:
    """By model, the SHA-256 of its scores; `CHANGED` where these, or those by class, were changed since they were made.

    Scores of another choice of classes, and files without a receipt, do not count.
    """
    output = Path(config["output_dir"])
    found = {}
    for name in names(output / STATE / Scores.name):
        body = _body(output / STATE / Scores.name / str(name))
        if body.get("settings", {}).get("classes") == classes_of(config):
            scores = f"{Scores.path}{name.subject}.json"
            digests = {path: _sha256(output / path) for path in (scores, f"{Scores.path}{name.subject}.classes.csv")}
            made = body.get("files", {})
            if digests[scores]:
                is_own = all(made.get(path, {}).get("sha256") == digest for path, digest in digests.items())
                found[name.subject] = digests[scores] if is_own else CHANGED
    return found


def _body(receipt: Path) -> Body:
    try:
        return load(receipt)
    except (PrepError, OSError):  # a run that asks for these scores says so
        return {}


def _sha256(path: Path) -> str:
    """Of a file; "" where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
