"""Archives of ILSVRC2012 from the real files in ../shared/data, with stand-ins for the images that are not there."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.io import loadmat

IMAGES = 50_000
CMYK_IMAGE = 19_877  # the one validation image that is CMYK in the real set

# The real configuration less the training set, and less the checksums of the archives that cannot be the official ones.
CONFIG: dict[str, Any] = {
    "use": ["val", "devkit", "bbox_val", "multilabel", "real_labels"],
    "archives": {
        "val": {"url": None, "md5": None, "bytes": None},
        "bbox_val": {"url": None, "md5": None},
        "multilabel": {"url": None, "sha256": None, "bytes": None},
    },
    "tfrecord": {"validation_shards": 16},
}

JSON_COLUMNS = {"correct": "proposed_labels", "wrong": "wrong_multi_labels", "unclear": "unclear_multi_labels"}


class Box(NamedTuple):
    """A published box, in pixels."""

    wnid: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int


class RealData:
    """What ../shared/data says, read by other means than the library's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def images(self) -> dict[str, bytes]:
        """The real validation images by file name."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "images" / "val").iterdir())}

    @cached_property
    def boxes(self) -> dict[str, list[Box]]:
        """The published boxes of the first images, by file name of the image."""
        boxes = {}
        with (self.folder / "bbox" / "val_boxes_first1000.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                found = re.findall(r"(n\d{8}) (\d+) (\d+) (\d+) (\d+)", row["PredictionString"])
                boxes[f"{row['ImageId']}.JPEG"] = [Box(wnid, *map(int, edges)) for wnid, *edges in found]
        return boxes

    @cached_property
    def multilabel(self) -> list[dict[str, str]]:
        """The rows of the public dump of multi-label annotations."""
        with (self.folder / "multilabel_first1000.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    @cached_property
    def reassessed(self) -> list[list[int]]:
        """ReaL: the indices that are right for each validation image."""
        labels: list[list[int]] = json.loads((self.folder / "real.json").read_text())
        return labels

    @cached_property
    def sorted_wnids(self) -> list[str]:
        """The WNIDs of the 1000 classes by index."""
        with tarfile.open(self.devkit) as archive:
            member = archive.extractfile("ILSVRC2012_devkit_t12/data/meta.mat")
            assert member is not None
            synsets = loadmat(io.BytesIO(member.read()), squeeze_me=True)["synsets"]
        return sorted(str(synset["WNID"]) for synset in synsets if synset["ILSVRC2012_ID"] <= 1000)

    @property
    def devkit(self) -> Path:
        """The real devkit."""
        return self.folder / "devkit" / "ILSVRC2012_devkit_t12.tar.gz"

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of an image as an annotator would write it: the real one, or one that holds the boxes."""
        if name in self.images:
            return Image.open(io.BytesIO(self.images[name])).size
        boxes = self.boxes[name]
        return max(500, *(box.xmax + 1 for box in boxes)), max(375, *(box.ymax + 1 for box in boxes))


def build(data: RealData, folder: Path) -> None:
    """Make the archives that CONFIG uses, in a new folder."""
    folder.mkdir()
    shutil.copyfile(data.devkit, folder / "ILSVRC2012_devkit_t12.tar.gz")
    shutil.copyfile(data.folder / "real.json", folder / "real.json")
    _write_tar(folder / "ILSVRC2012_img_val.tar", "w", validation_images(data))
    xml = ((f"val/{Path(name).stem}.xml", _annotation(data, name)) for name in data.boxes)
    _write_tar(folder / "ILSVRC2012_bbox_val_v3.tgz", "w:gz", xml)
    (folder / "human_accuracy_v3.0.0.json").write_text(json.dumps(_annotations(data)))


def validation_images(data: RealData) -> Iterator[tuple[str, bytes]]:
    """All 50000 by name, no two alike: the real ones, and tiny ones that carry their name as a comment."""
    sizes = [(16, 8), (8, 16), (24, 24), (1, 1)]
    tiny = [_jpeg(size, mode) for size in sizes for mode in ("RGB", "L")]
    cmyk = _jpeg((614, 461), "CMYK")
    for number in range(1, IMAGES + 1):
        name = f"ILSVRC2012_val_{number:08d}.JPEG"
        stand_in = cmyk if number == CMYK_IMAGE else tiny[number % len(tiny)]
        yield name, data.images.get(name) or _commented(stand_in, name)


def _jpeg(size: tuple[int, int], mode: str) -> bytes:
    gradient = np.linspace(0, 255, size[0] * size[1] * 3).astype(np.uint8).reshape(size[1], size[0], 3)
    output = io.BytesIO()
    Image.fromarray(gradient).convert(mode).save(output, "JPEG", optimize=True)
    return output.getvalue()


def _commented(jpeg: bytes, comment: str) -> bytes:
    """The image with a COM segment behind its first segment."""
    end = 4 + int.from_bytes(jpeg[4:6], "big")
    return b"".join([jpeg[:end], b"\xff\xfe", (len(comment) + 2).to_bytes(2, "big"), comment.encode(), jpeg[end:]])


def _annotation(data: RealData, name: str) -> bytes:
    width, height = data.size(name)
    objects = "".join(
        f"\t<object>\n\t\t<name>{box.wnid}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n"
        f"\t\t<difficult>0</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>{box.xmin}</xmin>\n\t\t\t<ymin>{box.ymin}</ymin>\n"
        f"\t\t\t<xmax>{box.xmax}</xmax>\n\t\t\t<ymax>{box.ymax}</ymax>\n\t\t</bndbox>\n\t</object>\n"
        for box in data.boxes[name]
    )
    return (
        f"<annotation>\n\t<folder>val</folder>\n\t<filename>{Path(name).stem}</filename>\n"
        "\t<source>\n\t\t<database>ILSVRC_2012</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        f"\t<segmented>0</segmented>\n{objects}</annotation>\n"
    ).encode()


def _annotations(data: RealData) -> dict[str, Any]:
    """The multi-label annotations in the shape of the published JSON; missing kinds of labels are missing keys."""
    annotations = {
        row["id"]: {
            kind: [data.sorted_wnids[index] for index in indices(row[column])]
            for kind, column in JSON_COLUMNS.items()
            if row[column]
        }
        for row in data.multilabel
    }
    problematic = {row["id"]: "" for row in data.multilabel if row["is_problematic"] == "True"}
    return {"initial_annots": annotations, "problematic_images": problematic, "imagenet_m": []}


def indices(cell: str) -> list[int]:
    """The labels in a cell of the multi-label dump."""
    return [int(label) for label in cell.split(", ") if label]


def _write_tar(path: Path, mode: str, members: Iterator[tuple[str, bytes]]) -> None:
    with tarfile.open(path, mode, format=tarfile.GNU_FORMAT) as archive:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
