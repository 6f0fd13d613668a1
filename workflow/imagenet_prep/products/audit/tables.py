"""The audit of the tables and label files: counts against the devkit, and every label against every other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_prep.formats import parquet
from imagenet_prep.products.audit.image_table import ImageTable
from imagenet_prep.products.audit.report import Check, Findings

CLASSES = pa.schema(
    [
        ("index", pa.int64()),
        ("wnid", pa.string()),
        ("ilsvrc2012_id", pa.int64()),
        ("tf_label", pa.int64()),
        ("words", pa.string()),
        ("num_train_images", pa.int64()),
    ]
)
_GROUPS_AT_A_TIME = 4


def read_classes(labels: Path) -> pa.Table:
    """`labels/classes.csv`, schema `CLASSES`; raises `pyarrow.ArrowException` where it is not such a table."""
    options = pyarrow.csv.ConvertOptions(column_types=CLASSES, include_columns=CLASSES.names)
    return pyarrow.csv.read_csv(labels / "classes.csv", convert_options=options)


def check_images(path: Path, split: str, labels: Path, mend: str) -> Check:
    """The split's images: none twice, and per class as many as the devkit says."""
    table = ImageTable(path, split)
    check = Check(f"images {split}", {"images": len(table), "bytes": 0})
    found: Counter[str] = Counter()
    last, rising = "", True
    for images in table.parts():  # every column, so that every page's checksum is held against it
        check.figures["bytes"] += pc.sum(images["nbytes"]).as_py()
        names = images["filename"].combine_chunks()
        rising &= last < names[0].as_py() and pc.all(pc.less(names[:-1], names[1:]), min_count=0).as_py()
        last = names[-1].as_py()
        found.update({row["values"]: row["counts"] for row in pc.value_counts(images["wnid"]).to_pylist()})
    if not rising:
        check.add("tables/images.parquet: an image is there more than once, or they are out of order", mend)
    if split == "train":
        classes = read_classes(labels).to_pandas()
        for row in classes.itertuples():
            count = found[str(row.wnid)]
            if count != row.num_train_images:
                check.add(
                    f"class {row.wnid}: the archive has {count} images, the devkit says {row.num_train_images}",
                    "Get the train archive and the devkit again, both from the same place",
                    kind="number of images",
                )
        check.figures["classes"] = len(table.classes)
    if split == "validation":
        wanted = pd.read_csv(labels / "val_labels.csv")
        images = table.read(["filename", "wnid", "index"])
        names = images["filename"]
        _compare_names(check, names, pa.chunked_array([pa.array(wanted["filename"])]), "tables/images.parquet: ", mend)
        joined = wanted.merge(images.to_pandas(), on="filename", suffixes=("", "_table"))
        wrong = joined[(joined["wnid"] != joined["wnid_table"]) | (joined["index"] != joined["index_table"])]
        check.add_each(
            "its label in labels/val_labels.csv is not that of tables/images.parquet", wrong["filename"].tolist(), mend
        )
        check.figures["classes"] = int(wanted["wnid"].nunique())
    return check


def check_labels(labels: Path, mend: str) -> Check:
    """The label files agree with each other."""
    check = Check("labels")
    classes = read_classes(labels).to_pandas()
    validation = pd.read_csv(labels / "val_labels.csv")
    check.figures |= {"classes": len(classes), "validation_labels": len(validation)}
    index = [int(line) for line in (labels / "val_index.txt").read_text().split()]
    wnids = (labels / "validation_synset_labels.txt").read_text().split()
    by_wnid = dict(zip(classes["wnid"], classes["index"], strict=True))
    if index != validation["index"].tolist() or wnids != validation["wnid"].tolist():
        check.add("labels/: val_index.txt, validation_synset_labels.txt and val_labels.csv do not agree", mend)
    if [by_wnid.get(wnid) for wnid in wnids] != index:
        check.add("labels/: the indices of the validation labels are not those of classes.csv", mend)
    if not (classes["tf_label"] == classes["index"] + 1).all() or not classes["wnid"].is_monotonic_increasing:
        check.add("labels/classes.csv: the classes are not numbered by sorted WNID", mend)
    lines = [line.split(" ", 2)[:2] for line in (labels / "wnid_to_index.txt").read_text().splitlines()]
    if lines != [[wnid, str(number)] for wnid, number in by_wnid.items()]:
        check.add("labels/wnid_to_index.txt: it does not agree with classes.csv", mend)
    synsets = parquet.read(labels / "synsets.parquet", ["wnid", "ilsvrc2012_id"]).to_pandas()
    merged = classes.merge(synsets, on="wnid", how="left", suffixes=("", "_devkit"))
    if not (merged["ilsvrc2012_id"] == merged["ilsvrc2012_id_devkit"]).all():
        check.add("labels/classes.csv: its ILSVRC2012 IDs are not those of synsets.parquet", mend)
    return check


def check_boxes(boxes: Path, images: ImageTable, mend: str) -> Check:
    """Every usable box lies inside 0 … 1; counts those whose image no archive in use holds."""
    file = parquet.open_table(boxes)
    check = Check("bboxes", {"boxes": file.metadata.num_rows, "usable": 0, "boxes_without_image": 0})
    findings = Findings()
    for first in range(0, file.num_row_groups, _GROUPS_AT_A_TIME):
        groups = range(first, min(first + _GROUPS_AT_A_TIME, file.num_row_groups))
        table = parquet.read_groups(
            file, boxes, groups
        )  # every column, so that every page's checksum is held against it
        usable = table.filter(table["usable"])
        check.figures["usable"] += len(usable)
        for low, high in (("xmin", "xmax"), ("ymin", "ymax")):
            inside = pc.and_(
                pc.and_(pc.greater_equal(usable[low], 0), pc.less(usable[low], usable[high])),
                pc.less_equal(usable[high], 1),
            )
            outside = usable["source"].filter(pc.invert(inside)).to_pylist()
            findings.add("a usable box is not inside the image", outside, mend)
        known, _, _ = images.find(usable["filename"].combine_chunks(), [])
        check.figures["boxes_without_image"] += len(usable) - len(known)
    check.add_findings(findings)
    return check


def check_multilabel(path: Path, labels: Path, mend: str) -> Check:
    """Every annotated image is a validation image with its own label."""
    table = parquet.read(path).to_pandas()
    check = Check("multilabel", {"images": len(table), "imagenet_m": int(table["imagenet_m"].sum())})
    validation = pd.read_csv(labels / "val_labels.csv").rename(columns={"filename": "file_name"})
    joined = table.merge(validation[["file_name", "index"]], on="file_name", how="left")
    wrong = joined[joined["index"] != joined["original_label"]]
    check.add_each(
        "its original_label in tables/multilabel.parquet is not its validation label", wrong["file_name"].tolist(), mend
    )
    return check


def _compare_names(check: Check, found: pa.ChunkedArray, wanted: pa.ChunkedArray, prefix: str, mend: str) -> None:
    """Note which names are missing, there more than once, or unknown."""
    counts = pc.value_counts(found.combine_chunks())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    missing = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found.combine_chunks())))
    unknown = found.filter(pc.invert(pc.is_in(found, value_set=wanted.combine_chunks())))
    for names, what in (
        (missing, "it is missing"),
        (twice, "it is there more than once"),
        (unknown, "no archive in use holds it"),
    ):
        check.add_each(what, [prefix + name for name in names.to_pylist()], mend)
