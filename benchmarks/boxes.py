"""Boxes to measure with: XML files like those of ImageNet's bounding boxes, as many boxes an image as there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BOXES_AN_XML = {"train": 615299 / 544546, "validation": 80477 / 50000}

_XML = """<annotation>
\t<folder>{folder}</folder>
\t<filename>{stem}</filename>
\t<source>
\t\t<database>ILSVRC_2012</database>
\t</source>
\t<size>
\t\t<width>500</width>
\t\t<height>375</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
{objects}</annotation>
"""
_OBJECT = """\t<object>
\t\t<name>{wnid}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>{left}</xmin>
\t\t\t<ymin>20</ymin>
\t\t\t<xmax>480</xmax>
\t\t\t<ymax>340</ymax>
\t\t</bndbox>
\t</object>
"""


def annotations(names: Sequence[tuple[str, str]], split: str) -> Iterator[tuple[str, bytes]]:
    """The path in its archive and the content of the XML file of each image, given by WNID and stem."""
    boxes = 0.0
    for number, (wnid, stem) in enumerate(names):
        boxes += BOXES_AN_XML[split]
        folder = wnid if split == "train" else "val"
        objects = "".join(_OBJECT.format(wnid=wnid, left=number % 200 + 9 * box) for box in range(int(boxes)))
        boxes -= int(boxes)
        yield f"{folder}/{stem}.xml", _XML.format(folder=folder, stem=stem, objects=objects).encode("ascii")
