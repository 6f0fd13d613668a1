"""Every record equals, feature by feature, what the published rules of slim's scripts make of the archives.

The archives are read here by Python's own modules, SciPy and Pillow, and the rules are written down anew. Slim's script
gives boxes to the training set alone; here the validation set has its own, by the same rules.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from scipy.io import loadmat

from project import Project
from readers.reading import Reading

Features = dict[str, tuple[str, list[Any]]]


class Archives:
    """What the archives of a project say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        devkit = dict(members(folder / "ILSVRC2012_devkit_t12.tar.gz"))
        data = {Path(name).name: content for name, content in devkit.items()}
        synsets = loadmat(io.BytesIO(data["meta.mat"]), squeeze_me=True)["synsets"]
        classes = [synset for synset in synsets if synset["num_children"] == 0]
        self.words = {str(synset["WNID"]): str(synset["words"]) for synset in classes}
        self.label = {wnid: label for label, wnid in enumerate(sorted(self.words), start=1)}
        wnid_of = {int(synset["ILSVRC2012_ID"]): str(synset["WNID"]) for synset in classes}
        truth = data["ILSVRC2012_validation_ground_truth.txt"].split()
        self.validation_wnids = [wnid_of[int(number)] for number in truth]

    def images(self, split: str) -> Iterator[tuple[str, str, bytes]]:
        """File name, WNID and bytes of every image."""
        if split == "validation":
            for name, content in members(self.folder / "ILSVRC2012_img_val.tar"):
                number = int(Path(name).stem.rpartition("_")[2])
                yield Path(name).name, self.validation_wnids[number - 1], content
        else:
            for inner, archive in members(self.folder / "ILSVRC2012_img_train.tar"):
                for name, content in members(io.BytesIO(archive)):
                    yield name, Path(inner).stem, content

    def annotations(self, split: str) -> dict[str, ElementTree.Element]:
        """The annotations by the file name of the image, which is that of the XML: what is in it may be `%s`."""
        archive = {"train": "ILSVRC2012_bbox_train_v2.tar.gz", "validation": "ILSVRC2012_bbox_val_v3.tgz"}[split]
        return {
            f"{Path(name).stem}.JPEG": ElementTree.fromstring(content)
            for name, content in members(self.folder / archive)
        }

    def boxes(self, wnid: str, annotation: ElementTree.Element | None) -> list[tuple[float, float, float, float]]:
        """The boxes that slim keeps of an image, in their order: xmin, ymin, xmax, ymax."""
        kept = []
        for box in [] if annotation is None else annotation.iter("object"):
            name = box.findtext("name")
            if name in self.label and name != wnid:
                continue  # another one of the classes; a name that is none, such as a breed of dogs, is let pass
            width, height = (int(annotation.findtext(f"size/{side}")) for side in ("width", "height"))
            xmin, xmax = scaled(box, "x", width)
            ymin, ymax = scaled(box, "y", height)
            if xmin < xmax and ymin < ymax:
                kept.append((xmin, ymin, xmax, ymax))
        return kept


def members(archive: Path | io.BytesIO) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file in a tar archive."""
    where = {"fileobj": archive} if isinstance(archive, io.BytesIO) else {"name": archive}
    with tarfile.open(**where) as opened:
        for member in opened:
            if member.isfile():
                yield member.name, opened.extractfile(member).read()


def scaled(box: ElementTree.Element, axis: str, size: int) -> tuple[float, float]:
    """Both ends of a box along an axis: divided by the size that the XML says, ordered, clipped to 0 … 1."""
    low, high = sorted(int(box.findtext(f"bndbox/{axis}{end}")) / size for end in ("min", "max"))
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


def expected(archives: Archives, filename: str, wnid: str, content: bytes, boxes: list) -> Features:
    """All features of an image but its bytes, with the kinds of their lists."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    label = archives.label[wnid]
    return {
        "image/height": ("int64_list", [height]),
        "image/width": ("int64_list", [width]),
        "image/colorspace": ("bytes_list", [b"RGB"]),
        "image/channels": ("int64_list", [3]),
        "image/class/label": ("int64_list", [label]),
        "image/class/synset": ("bytes_list", [wnid.encode()]),
        "image/class/text": ("bytes_list", [archives.words[wnid].encode()]),
        "image/object/bbox/xmin": ("float_list", float32([box[0] for box in boxes])),
        "image/object/bbox/ymin": ("float_list", float32([box[1] for box in boxes])),
        "image/object/bbox/xmax": ("float_list", float32([box[2] for box in boxes])),
        "image/object/bbox/ymax": ("float_list", float32([box[3] for box in boxes])),
        "image/object/bbox/label": ("int64_list", [label] * len(boxes)),
        "image/format": ("bytes_list", [b"JPEG"]),
        "image/filename": ("bytes_list", [filename.encode()]),
    }


def float32(values: list[float]) -> list[float]:
    return np.array(values, np.float32).tolist()


@pytest.fixture
def records(reading: Reading) -> dict[str, Features]:
    """The features of every record, an empty list with its kind, by file name."""
    found = {}
    for record in tf.data.TFRecordDataset(tf.io.gfile.glob(f"results/tfrecord/{reading.split}-*")).as_numpy_iterator():
        features = {
            name: (kind := feature.WhichOneof("kind"), list(getattr(feature, kind).value))
            for name, feature in tf.train.Example.FromString(record).features.feature.items()
        }
        (filename,) = features["image/filename"][1]
        assert filename.decode() not in found
        found[filename.decode()] = features
    return found


def test_every_record_is_what_slims_rules_make(reading: Reading, records: dict[str, Features]) -> None:
    archives = Archives(Path("results/archives"))
    annotations = archives.annotations(reading.split)
    in_use = set(reading.classes["wnid"])
    names, kept = [], 0
    for filename, wnid, content in archives.images(reading.split):
        if wnid not in in_use:
            continue
        features = dict(records[filename])
        assert_image(features.pop("image/encoded"), content)
        boxes = archives.boxes(wnid, annotations.get(filename))
        assert features == expected(archives, filename, wnid, content, boxes), filename
        names.append(filename)
        kept += len(boxes)
    assert sorted(names) == sorted(records)
    assert kept > 0


def assert_image(encoded: tuple[str, list[bytes]], content: bytes) -> None:
    """The bytes of the archive; of a CMYK image and of a PNG, an RGB JPEG of quality 100."""
    kind, (data,) = encoded
    assert kind == "bytes_list"
    with Image.open(io.BytesIO(content)) as image:
        if image.format == "JPEG" and image.mode != "CMYK":
            assert data == content
            return
        size = image.size
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)
        assert {step for table in image.quantization.values() for step in table} == {1}, "quality 100"


def test_the_boxes_of_the_demo_have_every_trouble_of_the_real_ones(demo: Project) -> None:
    boxes = pd.read_parquet(demo.results / "tables" / "bboxes.parquet")
    troubles = {"clipped", "outside", "reversed", "empty", "name of another class", "name of no class"}
    assert troubles <= set(boxes["problem"])
