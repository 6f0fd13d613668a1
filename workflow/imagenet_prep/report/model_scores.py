"""The scores of all models in the output folder, side by side, as the page shows them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imagenet_prep.errors import reading_again
from imagenet_prep.products.registry import SCORES
from imagenet_prep.products.scored import CHANGED, MEASURES

Json = Mapping[str, Any]


class Model(NamedTuple):
    """What the page shows of a model.

    Attributes:
        name: of the model.
        values: of the measures, in their order; None where there is none.
        images: how many were scored.
        others: how many images a measure is made of, by its name, where these are others.
        partial: whether they are only a part of the validation images.
        read_as: how the predictions were read; "" where that is not said.
        warnings: what speaks against the scores.
    """

    name: str
    values: list[float | int | None]
    images: int
    others: dict[str, int]
    partial: bool
    read_as: str
    warnings: list[str]


def models(folder: Path, scored: Mapping[str, str]) -> list[Model]:
    """The models with scores, the best one by top-1 first.

    Args:
        folder: the output folder.
        scored: what `products.scored` says of them.

    Raises:
        PrepError: a file is gone or damaged since `scored` was asked.
    """
    found = [_model(name, _read(folder, name)) for name, digest in scored.items() if digest != CHANGED]
    return sorted(found, key=lambda it: (-(it.values[0] or 0), it.name))


def best(found: list[Model]) -> list[float | int | None]:
    """The best value of each measure; None where fewer than two models have one."""
    values = [[it.values[place] for it in found if it.values[place] is not None] for place in range(len(MEASURES))]
    order = [min if measure.within == "wrong" else max for measure in MEASURES]
    return [pick(of) if len(of) > 1 else None for pick, of in zip(order, values, strict=True)]  # type: ignore[type-var]


def by_class(folder: Path, names: list[str]) -> dict[str, list[list[Any]]]:
    """By WNID a list for each of these models: name, top-1, top-5 or None, what it is taken for, and how often."""
    found: dict[str, list[list[Any]]] = {}
    for name in names:
        path = folder / SCORES.path / f"{name}.classes.csv"
        with reading_again(path), path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                numbers = [float(row[key]) if row.get(key) else None for key in ("top1", "top5")]
                taken = int(row["taken_for"]) if row["taken_for"] else None
                found.setdefault(row["wnid"], []).append([name, *numbers, taken, int(row["times"])])
    return found


def _read(folder: Path, name: str) -> Json:
    path = folder / SCORES.path / f"{name}.json"
    with reading_again(path):
        return dict(json.loads(path.read_text(encoding="utf-8")))


def _model(name: str, scores: Json) -> Model:
    values, others = [], {}
    for measure in MEASURES:
        value = scores.get(measure.key)
        if measure.within and value is not None:
            others[measure.name] = value["images"]
            value = value[measure.within]
        values.append(value)
    partial, warnings = bool(scores.get("partial")), [str(it) for it in scores.get("warnings") or []]
    if partial:
        there = scores.get("validation_images")
        warnings.insert(0, f"only {scores['images']} images were scored" + (f", of {there}" if there else ""))
    return Model(name, values, scores["images"], others, partial, scores.get("read_as") or "", warnings)
