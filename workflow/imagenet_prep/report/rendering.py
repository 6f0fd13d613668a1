"""The page's HTML, from its template and the figures that stand in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from imagenet_prep import __version__
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.engine import space_check
from imagenet_prep.products.registry import AUDIT
from imagenet_prep.products.scored import CHANGED, MEASURES
from imagenet_prep.report import overview, reading
from imagenet_prep.report.box_figures import CELLS, Boxes
from imagenet_prep.report.files import ASSETS
from imagenet_prep.report.model_scores import Model, best
from imagenet_prep.report.page_inputs import PageInputs
from imagenet_prep.report.statistics import Histogram
from imagenet_prep.report.survey import Survey
from imagenet_prep.report.wording import number, percent

_TEMPLATE = "index.html.jinja"


def render(
    inputs: PageInputs,
    found: Survey,
    boxes: Boxes,
    classes: Sequence[Mapping[str, Any]],
    odd: Sequence[Mapping[str, Any]],
    models: list[Model],
) -> str:
    """The HTML.

    Args:
        inputs: what the page is made of.
        found: the figures of the images.
        boxes: the figures of the boxes.
        classes: a row for each class in use: schema CLASSES less `num_train_images`, and `gloss`.
        odd: the groups of odd images, as the template shows them.
        models: the models with scores, the best one first.
    """
    config, dataset = inputs.config, inputs.dataset
    class_splits = [split.name for split in inputs.splits if split.labels is not Labels.NONE]
    counts = [[found.of_class[split][row["wnid"]] for split in class_splits] for row in classes]
    context = {
        "title": dataset.title,
        "lead": _lead(inputs, len(classes)),
        "synthetic": dataset.is_made_up,
        "version": __version__,
        "output_dir": config["output_dir"],
        "totals": {
            "images": sum(found.images.values()),
            "classes": len(classes),
            "nbytes": sum(found.nbytes.values()),
            "boxes": sum(boxes.usable.values()),
        },
        "splits": overview.splits_table(config, found, boxes),
        "products": overview.products_table(config, found),
        "findings": overview.audit_table(inputs.path(AUDIT)),
        "findings_files": AUDIT.files(config),
        "archives": overview.archives_table(inputs.receipts),
        "reading": reading.ways_to_read(inputs.readers, config),
        "terms": reading.terms(inputs.readme),
        "made": [("by", f"imagenet-prep {__version__}"), *overview.settings_table(config)],
        "class_splits": class_splits,
        "classes": [{**row, "counts": of_class} for row, of_class in zip(classes, counts, strict=True)],
        "per_class": _per_class(class_splits, counts),
        "histograms": [
            _histogram("Width", "pixels", found.width),
            _histogram("Height", "pixels", found.height),
            _histogram("Aspect ratio", "width / height", found.ratio),
            _histogram("File size", "bytes", found.size),
        ],
        "kinds": _kinds(found),
        "boxes_of": [
            {"split": split, "boxes": count, "usable": boxes.usable[split], "problems": boxes.problems[split]}
            for split, count in boxes.boxes.items()
        ],
        "problems": _problems(boxes),
        "map": _map(boxes),
        "box_histograms": [
            _histogram("Boxes of an image", "boxes", boxes.an_image, "Usable ones."),
            _histogram("Size of boxes", "share of the image", boxes.area, "Usable ones; the series are of boxes."),
        ],
        "shards": overview.shards_table(config),
        "odd": odd,
        "twins": _twins(classes),
        "models": models,
        "measures": MEASURES,
        "best": best(models),
        "changed_scores": [name for name, digest in inputs.scores.items() if digest == CHANGED],
        "synthetic_config": bool(config["synthetic"]),
    }
    return environment().get_template(_TEMPLATE).render(context)


def environment() -> jinja2.Environment:
    """Templates that escape what they show, with filters for numbers, bytes and shares."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"number": number, "bytes": space_check.shown, "percent": percent, "slug": _slug}
    return made


def _slug(title: str) -> str:
    """What stands for a heading in an address."""
    return "-".join(re.findall(r"\w+", title.lower()))


def _twins(classes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The gloss, by WNID, of those classes that are called the same."""
    names = [row["words"].split(",")[0] for row in classes]
    many = {name for name, count in Counter(names).items() if count > 1}
    return {row["wnid"]: row["gloss"] for row, name in zip(classes, names, strict=True) if name in many}


def _lead(inputs: PageInputs, classes: int) -> str:
    if inputs.config["classes"] is not None:
        return f"A subset of {classes} classes, prepared from the archives of {inputs.dataset.origin}."
    return f"The images of {inputs.dataset.origin}, prepared from its archives."


def _per_class(splits: Sequence[str], counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    found = []
    for position, split in enumerate(splits):
        present = [of_class[position] for of_class in counts if of_class[position]]
        if present:
            found.append({"split": split, "least": min(present), "most": max(present)})
    return found


def _histogram(title: str, unit: str, values: Histogram, note: str = "") -> dict[str, Any]:
    return {"title": title, "unit": unit, "note": note, "series": list(values.counts), "bins": values.bins()}


def _kinds(found: Survey) -> dict[str, Any]:
    kinds = sorted(
        {kind for of_split in found.kinds.values() for kind in of_split},
        key=lambda kind: (-sum(of_split[kind] for of_split in found.kinds.values()), kind),
    )
    rows = [
        {
            "format": kind[0],
            "colorspace": kind[1],
            "counts": [
                (counts[kind], counts[kind] / max(found.images[split], 1)) for split, counts in found.kinds.items()
            ],
        }
        for kind in kinds
    ]
    return {"splits": list(found.kinds), "rows": rows}


def _problems(boxes: Boxes) -> list[str]:
    total = {
        name: sum(counts[name] for counts in boxes.problems.values()) for name in set().union(*boxes.problems.values())
    }
    return sorted(total, key=lambda name: (-total[name], name))


def _map(boxes: Boxes) -> dict[str, Any]:
    shares = boxes.coverage.shares()
    corners = [shares[y, x] for y in (0, -1) for x in (0, -1)]
    return {
        "cells": CELLS,
        "rows": shares.tolist(),
        "most": float(shares.max()),
        "middle": float(shares[CELLS // 2, CELLS // 2]),
        "corners": float(sum(corners) / 4),
    }
