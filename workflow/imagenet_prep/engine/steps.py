"""What is made from what: of each step its version, its settings, its needs, and the archives that it reads.

A step is a rule of the workflow; its subject is what a job of it is about, such as a split. Imports are light, since
the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imagenet_prep import versions
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT, BOXES_OF_SPLIT
from imagenet_prep.dataset.space import IMAGEFOLDER, TFRECORD, TFRECORD_INDEX, units
from imagenet_prep.engine.receipts import LEFTOVERS

Config = Mapping[str, Any]
Need = tuple[str, str]
"""A step and its subject."""

ALL = "all"
"""The subject of a step that has one job."""


@dataclass(frozen=True)
class Step:
    """What the jobs of a rule depend on.

    Attributes:
        version: of what it makes; raised, it is made again, and all that needs it.
        settings: of a configuration and a subject, what the job is told; all else that counts is in `needs`.
        needs: likewise, the steps that it follows from.
        reads: likewise, the archives of which it reads bytes, so that they have to be there.
        shows: likewise, other archives of which it tells what was found.
        layout: a version of the form of its files alone; raised, only they are made again.
        form: likewise, settings which only the form of its files depends on.
    """

    version: int
    settings: Callable[[Config, str], dict[str, Any]]
    needs: Callable[[Config, str], list[Need]]
    reads: Callable[[Config, str], list[str]] = lambda config, subject: []
    shows: Callable[[Config, str], list[str]] = lambda config, subject: []
    layout: int = 1
    form: Callable[[Config, str], object] = lambda config, subject: None


def expected(config: Config, archive: str) -> dict[str, Any]:
    """Algorithm, checksum and size that the configuration expects of an archive."""
    settings = config["archives"][archive]
    algorithm = "sha256" if settings["sha256"] else "md5"
    unpacked = {"unpacked_sha256": settings["unpacked_sha256"]} if settings["unpacked_sha256"] else {}
    return {"algorithm": algorithm, "checksum": settings[algorithm], "nbytes": settings["bytes"], **unpacked}


def batch_size(config: Config, product: str, split: str) -> int:
    """How many units a job makes."""
    keys = {TFRECORD: "tfrecord_shards", TFRECORD_INDEX: "index_shards", IMAGEFOLDER: "imagefolder_classes"}
    key = "imagefolder_val_classes" if (product, split) == (IMAGEFOLDER, "validation") else keys[product]
    return int(config["jobs"][key])


def _splits(config: Config, *of: str) -> list[str]:
    return [
        split for split, archive in ARCHIVE_OF_SPLIT.items() if archive in config["use"] and (not of or split in of)
    ]


def _boxes(config: Config) -> list[Need]:
    return [("boxes", split) for split, archive in BOXES_OF_SPLIT.items() if archive in config["use"]]


def _classes(config: Config, _: str = "") -> dict[str, Any]:
    return {"wnids": config["classes"], "subset_labels": config["subset_labels"]}


def _nothing(*_: object) -> dict[str, Any]:
    return {}


def _on_devkit(*_: object) -> list[Need]:
    return [("devkit", ALL)]


def _reencoding(config: Config, _: str = "") -> dict[str, Any]:
    return {key: config["tfrecord"][key] for key in ("cmyk_to_rgb", "png_to_jpeg")}


def _split_archive(config: Config, split: str) -> list[str]:
    return [ARCHIVE_OF_SPLIT[split]]


def _image_archives(config: Config, _: str) -> list[str]:
    return [ARCHIVE_OF_SPLIT[split] for split in _splits(config)]


def _file_of_split(config: Config, split: str) -> str:
    """The name of a split's archive, which stands in the tables of images, and in nothing that is made from them."""
    return str(config["archives"][ARCHIVE_OF_SPLIT[split]]["file"])


def _image_settings(config: Config, split: str) -> dict[str, Any]:
    return {
        "classes": _classes(config),
        "class_count": units(config, IMAGEFOLDER, "train"),
    }


def _plan_settings(config: Config, split: str) -> dict[str, Any]:
    settings = {key: config["tfrecord"][key] for key in ("seed", "label_base")}
    return {"classes": _classes(config), "shards": units(config, TFRECORD, split), **settings}


def _plan_needs(config: Config, split: str) -> list[Need]:
    return [("images", split), *(need for need in _boxes(config) if need[1] == split)]


def _records(config: Config, _: str = "") -> list[Need]:
    return [(TFRECORD, split) for split in _splits(config, *BOXES_OF_SPLIT)]


def _leftover_needs(config: Config, subject: str) -> list[Need]:
    product, _, split = subject.partition("-")
    return [(product, split)]


def _leftover_settings(config: Config, subject: str) -> dict[str, Any]:
    product, _, split = subject.partition("-")
    return {"product": product, "split": split, "units": units(config, product, split)}


def _unused_settings(config: Config, _: str) -> dict[str, Any]:
    return {"splits": _splits(config), "multilabel": {"multilabel", "val"} <= set(config["use"])}


def products_of(config: Config) -> list[str]:
    """The configured products that the audit looks at."""
    return [product for product in config["products"] if product not in ("audit", "report")]


def _product_needs(config: Config, _: str = "") -> list[Need]:
    """What the configured products are known by."""
    splits = _splits(config)
    needs: dict[str, list[Need]] = {
        "imagefolder": [(IMAGEFOLDER, split) for split in splits],
        "tfrecords": [*_records(config), ("tfrecord_description", ALL)],
        "indexes": [(TFRECORD_INDEX, split) for split in _splits(config, *BOXES_OF_SPLIT)],
        "bboxes": [("box_table", ALL)],
        "multilabel": [("multilabel_table", ALL)],
        "multilabel_tfrecords": [("tfrecord_multilabel", ALL)],
        "labels": [],
    }
    return [need for product in sorted(products_of(config)) for need in needs[product]]


def _audit_needs(config: Config, _: str) -> list[Need]:
    return [("labels", ALL), ("image_table", ALL), ("unused", ALL), *_product_needs(config)]


def _audit_settings(config: Config, _: str) -> dict[str, Any]:
    return {"products": sorted(products_of(config)), "splits": _splits(config), "use": sorted(config["use"])}


def _page_settings(config: Config, _: str) -> dict[str, Any]:
    lists = {key: sorted(config[key]) for key in ("use", "products")}
    return {
        "classes": _classes(config),
        **lists,
        **{key: config[key] for key in ("imagefolder", "tfrecord", "synthetic")},
    }


def _page_needs(config: Config, _: str) -> list[Need]:
    splits = _splits(config)
    return [("labels", ALL), ("image_table", ALL), ("audit", ALL), *(it for it in _boxes(config) if it[1] in splits)]


def _score_needs(config: Config, _: str) -> list[Need]:
    return [("devkit", ALL), *([("multilabel_table", ALL)] if "multilabel" in config["use"] else [])]


STEPS: dict[str, Step] = {
    "devkit": Step(versions.DEVKIT, _nothing, lambda *_: [], lambda *_: ["devkit"]),
    "labels": Step(versions.LABELS, lambda config, _: {"classes": _classes(config)}, _on_devkit),
    "images": Step(versions.IMAGES, _image_settings, _on_devkit, _split_archive, form=_file_of_split),
    "image_table": Step(
        versions.IMAGE_TABLE,
        lambda config, _: {"files": {split: _file_of_split(config, split) for split in _splits(config)}},
        lambda config, _: [("images", split) for split in _splits(config)],
    ),
    "boxes": Step(versions.BOXES, _nothing, _on_devkit, lambda config, split: [BOXES_OF_SPLIT[split]]),
    "box_table": Step(
        versions.BOX_TABLE, lambda config, _: {"wnids": config["classes"]}, lambda config, _: _boxes(config)
    ),
    "multilabel_table": Step(
        versions.MULTILABEL,
        lambda config, _: {"classes": _classes(config)},
        _on_devkit,
        lambda *_: ["multilabel"],
    ),
    "plan": Step(versions.SHARDS, _plan_settings, _plan_needs),
    IMAGEFOLDER: Step(
        versions.IMAGEFOLDER,
        lambda config, split: {
            "classes": _classes(config),
            "val_dirs": config["imagefolder"]["val_dirs"] if split == "validation" else "wnid",
        },
        lambda config, split: [("images", split), ("devkit", ALL)],
        _split_archive,
    ),
    TFRECORD: Step(versions.TFRECORD, _reencoding, lambda config, split: [("plan", split)], _split_archive),
    TFRECORD_INDEX: Step(versions.INDEX, _nothing, lambda config, split: [(TFRECORD, split)]),
    "tfrecord_description": Step(
        versions.TFRECORD_DESCRIPTION,
        lambda config, _: {"classes": _classes(config), "label_base": config["tfrecord"]["label_base"]},
        lambda config, _: [*_records(config), ("devkit", ALL)],
    ),
    "tfrecord_multilabel": Step(
        versions.MULTILABEL_TFRECORD,
        lambda config, _: {
            "classes": _classes(config),
            "shards": units(config, TFRECORD, "validation"),
            "seed": config["tfrecord"]["seed"],
            **_reencoding(config),
        },
        lambda config, _: [("multilabel_table", ALL), ("images", "validation"), ("devkit", ALL)],
        lambda *_: ["val"],
    ),
    LEFTOVERS: Step(versions.LEFTOVERS, _leftover_settings, _leftover_needs),
    "unused": Step(versions.LEFTOVERS, _unused_settings, lambda *_: []),
    "audit": Step(versions.AUDIT, _audit_settings, _audit_needs),
    "report": Step(versions.PAGE, _page_settings, _page_needs, _image_archives, lambda config, _: list(config["use"])),
    "published": Step(
        versions.PUBLISH, lambda config, _: {"url": config["publish"]["url"]}, lambda *_: [("audit", ALL)]
    ),
    "predictions": Step(versions.PREDICTIONS, lambda config, _: {"classes": _classes(config)}, _on_devkit),
    "scores": Step(
        versions.SCORES,
        lambda config, _: {"classes": _classes(config), "real": "real_labels" in config["use"]},
        _score_needs,
        lambda config, _: [name for name in ("real_labels",) if name in config["use"]],
    ),
}

BATCHED = (IMAGEFOLDER, TFRECORD, TFRECORD_INDEX)
"""Steps that make each split in batches."""

TABLES_BETWEEN = ("devkit", "images", "boxes", "plan")
"""Steps that make tables which only other steps read. The same comes of them each time from the same archives, so that
nothing follows from it when one of them is made again; their rules are checkpoints."""
