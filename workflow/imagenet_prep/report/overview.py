"""What stands in the tables of the page: splits, products, checks, archives, and how it was made."""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagenet_prep.dataset.names import BOXES_OF_SPLIT, LABEL_FILES, TREE_OF_SPLIT
from imagenet_prep.formats import parquet
from imagenet_prep.formats.made import reading_again
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL, ShardSet
from imagenet_prep.report.boxes import Boxes
from imagenet_prep.report.survey import Survey
from imagenet_prep.report.wording import number

_CHECKSUMS = ("md5", "sha256")


def splits_table(survey: Survey, boxes: Boxes, archives: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row a split; `archives` are the file names by split. Test images have no class."""
    return [
        {
            "split": split,
            "images": count,
            "classes": len(survey.of_class[split]) if split != "test" else None,
            "nbytes": survey.nbytes[split],
            "boxes": boxes.usable.get(split),
            "archive": archives[split],
        }
        for split, count in survey.images.items()
    ]


def products_table(config: Mapping[str, Any], survey: Survey, splits: Sequence[str]) -> list[dict[str, Any]]:
    """A row a configured product, then what is always there: where it is, what, and how many bytes."""
    output, products = Path(config["output_dir"]), config["products"]
    images, labels = output / "tables" / "images.parquet", output / "labels"

    def row(name: str, path: str, content: str, nbytes: int) -> dict[str, Any]:
        return {"name": name, "path": f"{output}/{path}", "content": content, "nbytes": nbytes}

    found = []
    if "imagefolder" in products:
        trees = ", ".join(f"{TREE_OF_SPLIT[split]}/" for split in splits)
        content = f"class folders {trees}, {number(sum(survey.images.values()))} files"
        found.append(row("imagefolder", "imagefolder/", content, sum(survey.nbytes.values())))
    for product, folder, what in (("tfrecords", TFRECORD, "shards"), ("indexes", TFRECORD_INDEX, "indexes")):
        if product in products:
            sizes = {split: shard_sizes(config, folder, split) for split in record_splits(splits)}
            content = ", ".join(f"{len(of_split)} {what} of {split}" for split, of_split in sizes.items())
            found.append(row(product, f"{folder}/", content, sum(map(sum, sizes.values()))))
    for product in ("bboxes", "multilabel"):
        if product in products:
            path = output / "tables" / f"{product}.parquet"
            content = f"table of {number(_rows(path))} rows"
            found.append(row(product, f"tables/{path.name}", content, path.stat().st_size))
    if "multilabel_tfrecords" in products:
        files = [path for path in (output / TFRECORD_MULTILABEL).iterdir() if path.is_file()]
        content = "the multi-label set as TensorFlow Datasets publishes it"
        found.append(
            row("multilabel_tfrecords", f"{TFRECORD_MULTILABEL}/", content, sum(path.stat().st_size for path in files))
        )
    content = f"table of {number(sum(survey.images.values()))} rows: every image, as a byte range of its archive"
    found.append(row("images", "tables/images.parquet", content, images.stat().st_size))
    content = "classes in every numbering, the tree of synsets, validation labels"
    found.append(row("labels", "labels/", content, sum((labels / name).stat().st_size for name in LABEL_FILES)))
    return found


def record_splits(splits: Sequence[str]) -> list[str]:
    """Those of the splits that TFRecords are made of."""
    return [split for split in splits if split in BOXES_OF_SPLIT]


def shard_sizes(config: Mapping[str, Any], product: str, split: str) -> list[int]:
    """Bytes of each file of a product's shards, in order."""
    return [path.stat().st_size for path in ShardSet.of(config, product, split).paths()]


def shards_table(config: Mapping[str, Any], splits: Sequence[str]) -> dict[str, Any] | None:
    """The sizes of the TFRecord shards by split, and a row a split; None where there are none."""
    if "tfrecords" not in config["products"] or not record_splits(splits):
        return None
    sizes = {split: shard_sizes(config, TFRECORD, split) for split in record_splits(splits)}
    rows = [
        {
            "split": split,
            "shards": len(of_split),
            "smallest": min(of_split),
            "median": round(statistics.median(of_split)),
            "largest": max(of_split),
            "nbytes": sum(of_split),
        }
        for split, of_split in sizes.items()
    ]
    return {"sizes": sizes, "rows": rows}


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


def settings_table(config: Mapping[str, Any], splits: Collection[str]) -> list[tuple[str, str]]:
    """What of the configuration decides what comes out, for people."""
    records, classes = config["tfrecord"], config["classes"]
    table = [("archives", ", ".join(config["use"])), ("products", ", ".join(config["products"]))]
    if classes is None:
        table.append(("classes", "all"))
    else:
        table.append(("classes", f"a subset of {len(classes)}, numbered {config['subset_labels']}"))
    if "imagefolder" in config["products"] and "validation" in splits:
        names = "WNIDs" if config["imagefolder"]["val_dirs"] == "wnid" else "indices"
        table.append(("folders of val/", f"named by {names}"))
    if "tfrecords" in config["products"]:
        again = [name for key, name in (("cmyk_to_rgb", "CMYK"), ("png_to_jpeg", "PNG")) if records[key]]
        table += [
            ("TFRecords", f"labels from {records['label_base']}, shuffled by seed {records['seed']}"),
            ("encoded again in TFRecords", f"{' and '.join(again)} images, as RGB JPEG" if again else "no images"),
        ]
    if config["synthetic"]:
        table.append(("synthetic images", f"seed {config['synthetic']['seed']}"))
    return table


def _rows(path: Path) -> int:
    return int(parquet.open_table(path).metadata.num_rows)


def _read_json(path: Path) -> Any:
    with reading_again(path):
        return json.loads(path.read_text(encoding="utf-8"))
