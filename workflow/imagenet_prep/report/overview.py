"""What stands in the tables of the page: splits, products, checks, archives, and how it was made."""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.engine.space import ImageTotals
from imagenet_prep.engine.step import ALL
from imagenet_prep.errors import reading_again
from imagenet_prep.products.registry import ALL_PRODUCTS, PAGE, SHARDED_PRODUCTS
from imagenet_prep.products.shards import REENCODED, shard_sizes
from imagenet_prep.report.box_figures import Boxes
from imagenet_prep.report.survey import Survey

_CHECKSUMS = ("md5", "sha256")


def splits_table(config: Mapping[str, Any], survey: Survey, boxes: Boxes) -> list[dict[str, Any]]:
    """A row a split; images of some have no class."""
    splits = dataset_of(config).splits
    return [
        {
            "split": split,
            "images": count,
            "classes": len(survey.of_class[split]) if splits[split].labels is not Labels.NONE else None,
            "nbytes": survey.nbytes[split],
            "boxes": boxes.usable.get(split),
            "archive": config["archives"][splits[split].archive]["file"],
        }
        for split, count in survey.images.items()
    ]


def products_table(config: Mapping[str, Any], survey: Survey) -> list[dict[str, Any]]:
    """A row a product, those that are configured first, then others that the page needs: where, what, and bytes."""
    images = {split: ImageTotals(count, survey.nbytes[split]) for split, count in survey.images.items()}
    names = {*config["products"], *(name for name, _ in PAGE.needs(config, ALL))}
    found = []
    for product in sorted(ALL_PRODUCTS, key=lambda it: it.name not in config["products"]):
        if product.is_audited and product.name in names:
            content, nbytes = product.content(config, images)
            path = f"{config['output_dir']}/{product.path}"
            # As the file or folder, since not all are asked for by a name.
            name = Path(product.path).stem
            link = f"../{product.path}"  # from the page's own folder
            found.append({"name": name, "path": path, "link": link, "content": content, "nbytes": nbytes})
    return found


def shards_table(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sizes of the shards by product and split, also by number, and a row for each; None where there are none."""
    sizes: dict[str, list[int]] = {}
    for name, product in SHARDED_PRODUCTS.items():
        if name in config["products"] and product.goes_through_images:
            for split in product.splits_in_use(config):
                of_split = shard_sizes(product, Path(config["output_dir"]), split)
                sizes |= {f"{name} {split}": of_split} if of_split else {}
    rows = [
        {
            "name": name,
            "shards": len(of_split),
            "smallest": min(of_split),
            "median": round(statistics.median(of_split)),
            "largest": max(of_split),
            "nbytes": sum(of_split),
        }
        for name, of_split in sizes.items()
    ]
    by_number = list(itertools.zip_longest(*sizes.values()))
    return {"sizes": sizes, "by_number": by_number, "rows": rows} if rows else None


def audit_table(path: Path) -> dict[str, Any]:
    """The audit's checks as they stand in audit.json, and how many of them passed.

    Raises:
        PrepError: the file is missing or damaged.
    """
    audit = _read_json(path)
    return {**audit, "passed": sum(check["ok"] for check in audit["checks"])}


def archives_table(receipts: Sequence[Path]) -> list[dict[str, Any]]:
    """A row a verified archive: file, bytes, checksum, and whether it was compared with an expected one.

    Raises:
        PrepError: a receipt is missing or damaged.
    """
    table = []
    for receipt in map(_read_json, receipts):
        algorithm = next(name for name in _CHECKSUMS if name in receipt)
        table.append(
            {
                "name": receipt["name"],
                "file": receipt["file"],
                "nbytes": receipt["bytes"],
                "algorithm": algorithm,
                "checksum": receipt[algorithm],
                "expected": receipt["expected"] is not None,
            }
        )
    return table


def settings_table(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings that decide what comes out, each with its value, in words."""
    classes, made = config["classes"], [it for it in ALL_PRODUCTS if it.name in config["products"]]
    table = [("archives", ", ".join(config["use"])), ("products", ", ".join(config["products"]))]
    if classes is None:
        table.append(("classes", "all"))
    else:
        table.append(("classes", f"a subset of {len(classes)}, numbered {config['subset_labels']}"))
    table += [choice for product in made for choice in product.choices(config)]
    if any(product.name in SHARDED_PRODUCTS for product in made):
        again = [kind for kind, key in REENCODED.items() if config["shards"][key]]
        table.append(
            ("encoded again in shards", f"{' and '.join(again)} images, as RGB JPEG" if again else "no images")
        )
    if config["synthetic"]:
        table.append(("synthetic images", f"seed {config['synthetic']['seed']}"))
    return table


def _read_json(path: Path) -> Any:
    with reading_again(path):
        return json.loads(path.read_text(encoding="utf-8"))
