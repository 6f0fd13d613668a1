"""The folder `labels/`: synsets, classes and validation labels as tables and as the files that other programs read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imagenet_prep import atomic
from imagenet_prep.dataset.classes import hierarchy, validation_labels
from imagenet_prep.formats import parquet


def write_labels(synsets: pa.Table, ground_truth: npt.NDArray[np.int32], classes: pa.Table, folder: Path) -> None:
    """Write all of `names.LABEL_FILES` into the folder.

    `synsets.parquet` always holds the whole devkit; the others the selected classes only, and the files with one
    line an image only images of these, in image order.

    Args:
        synsets: the devkit's, schema SYNSETS.
        ground_truth: the class's ILSVRC2012_ID of each validation image, shape (number of images,).
        classes: the selected ones, schema CLASSES.
        folder: where to write to; made if need be.
    """
    images = validation_labels(ground_truth, synsets, classes)
    parquet.write(synsets, folder / "synsets.parquet")
    atomic.write_text(folder / "classes.csv", _csv(classes))
    atomic.write_text(folder / "val_labels.csv", _csv(images))
    atomic.write_text(folder / "val_index.txt", "".join(f"{index}\n" for index in images["index"].to_pylist()))
    atomic.write_text(
        folder / "validation_synset_labels.txt", "".join(f"{wnid}\n" for wnid in images["wnid"].to_pylist())
    )
    atomic.write_text(
        folder / "wnid_to_index.txt",
        "".join(f"{row['wnid']} {row['index']} {row['words']}\n" for row in classes.to_pylist()),
    )
    atomic.write_json(folder / "hierarchy.json", hierarchy(synsets, classes))


def _csv(table: pa.Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue()
