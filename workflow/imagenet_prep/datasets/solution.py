"""Kaggle's list of the validation images with their boxes, `LOC_val_solution.csv`, as the XML that boxes are read from.

Its lines are `ImageId,PredictionString`; the prediction is `wnid xmin ymin xmax ymax`, once a box.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from imagenet_prep.errors import PrepError

_REMEDY = "Get the list again from where it came"
_OBJECT = (
    "<object><name>{}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
    "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
_ANNOTATION = (
    "<annotation><folder>val</folder><filename>{}</filename><source><database>ILSVRC_2012</database></source>"
    "<size><width>{}</width><height>{}</height><depth>3</depth></size><segmented>0</segmented>{}</annotation>\n"
)


def box_files(path: Path, size_of: Callable[[str], tuple[int, int]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of an XML for each image that has boxes, by its name.

    Args:
        path: of the list.
        size_of: width and height of the image of this file name, which the list does not have.

    Raises:
        PrepError: a line is none of boxes.
    """
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = sorted(row for row in csv.reader(io.StringIO(file.read())) if row and row[0] != "ImageId")
    for stem, prediction, *_ in ([*row, ""] for row in rows):
        words = prediction.split()
        boxes = [words[start : start + 5] for start in range(0, len(words), 5)]
        if not all(len(box) == 5 and all(it.lstrip("-").isdecimal() for it in box[1:]) for box in boxes):
            problem = "the prediction is no list of `wnid xmin ymin xmax ymax`"
            raise PrepError(path, problem, _REMEDY, member=stem)
        if boxes:
            width, height = size_of(f"{stem}.JPEG")
            objects = "".join(_OBJECT.format(*box) for box in boxes)
            yield f"{stem}.xml", _ANNOTATION.format(stem, width, height, objects).encode()
