"""The readers that are given hostile input, each with what it may raise and what must hold of what it returns."""

from __future__ import annotations

import contextlib
import io
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from builders import CRANE, FOX, MACHINE, TRUTH, synsets, tar
from faults.hostile_archives import COMPRESSED_ARCHIVES, SMALL_ARCHIVES
from faults.hostile_configurations import configurations
from faults.hostile_images import IMAGES
from faults.hostile_labels import (
    ARRAYS,
    DOCUMENTS,
    KITS,
    MULTILABELS,
    PREDICTED,
    PREDICTIONS,
    REAL_LABELS,
    xml_files,
)
from faults.hostile_records import RECORDS
from imagenet_prep import configuration
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.datasets.human_accuracy import read_multilabel
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.datasets.real_labels import read_real_labels
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.images import label_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, picture, tfrecord, voc
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import read_files, walk
from imagenet_prep.products.imagefolder import write_folders
from imagenet_prep.products.predictions import ValidationSet, read_predictions

VALIDATION = pa.table({"filename": ["v1", "v2", "v3"], "class_index": [2, 0, 1]})
CLASSES = pa.table({"wnid": [CRANE, FOX, MACHINE], "class_index": [0, 1, 2]})


@dataclass(frozen=True)
class Reader:
    """Something that reads what others wrote.

    Attributes:
        inputs: what it is given.
        read: reads one of them, in an empty folder of its own; asserts what must hold of the outcome.
        errors: what it may raise; of `PrepError` the text must be one line, too.
        memory: MiB that it may take beyond what it has at rest.
        forged: whether such input comes with a checksum that the data set's declaration or the format has, and which
            holds, so that it was forged; other readers meet what people have, before any checksum is known to hold.
    """

    inputs: st.SearchStrategy[Any]
    read: Callable[[Any, Path], None]
    errors: tuple[type[Exception], ...] = (PrepError,)
    memory: int = 64
    forged: bool = False


def _scan_tar(content: bytes, _folder: Path) -> None:
    """Every member lies in the archive, under a name that leads nowhere else."""
    with Stream(io.BytesIO(content)) as stream:
        for outer in walk(stream, "archive.tar", end=len(content)):
            _expect_inside(outer.name)
            assert 0 <= outer.offset <= outer.offset + outer.nbytes <= len(content)
            if outer.name.endswith(".tar"):
                end = outer.offset + outer.nbytes
                for inner in walk(stream, "archive.tar", end=end, within=outer.name):
                    _expect_inside(inner.name)
                    assert outer.offset <= inner.offset <= inner.offset + inner.nbytes <= end


def _expect_inside(name: str) -> None:
    folder = "/folder"
    assert os.path.normpath(os.path.join(folder, name)).startswith(folder + "/"), name
    assert name.isprintable(), name


def _read_compressed(content: bytes, folder: Path) -> None:
    path = _file(folder, "a.tar.gz", content)
    for member, data in read_files(path):
        _expect_inside(member.name)
        assert len(data) == member.nbytes


def _make_class_folders(content: bytes, folder: Path) -> None:
    """What is made of an archive lies in its folder, by the names of its images and no others."""
    for name in ("val", "train", "test"):
        archives, results = folder / name / "archives", folder / name / "results"
        archive = _file(archives, f"{name}.tar", content)
        with contextlib.suppress(PrepError):
            _into_class_folders(name, archive, results)
        for path in (folder / name).rglob("*"):
            assert path == archive or path.is_relative_to(results) or path.is_dir() or path.suffix == ".parquet", path
        assert not [path for path in results.rglob("*") if path.is_file() and len(path.name) > 64]


def _into_class_folders(name: str, archive: Path, results: Path) -> None:
    table, split = archive.parent.parent / "scan.parquet", ILSVRC2012.of_archive[name]
    scan(name, archive, Expected(), table, ILSVRC2012)
    classes = select_classes(synsets(), None, "original")
    for images in label_images(table, split, synsets(), TRUTH[:1], classes, archive):
        write_folders(images.to_pylist(), split, "wnid", archive, results)


def _read_image(content: bytes, _folder: Path) -> None:
    """The header, and where that is good, what the re-encoding and the page make of the image."""
    header = picture.identify(content)
    assert header.width > 0
    assert header.height > 0
    assert header.channels in (1, 2, 3, 4)
    picture.to_rgb_jpeg(content)
    small = picture.thumbnail(content, 64)
    assert max(small.image.size) <= 64


def _parse_xml(content: bytes, _folder: Path) -> None:
    annotation = voc.parse(content, "archive.tar", "x.xml")
    assert 0 < annotation.width < 1 << 31
    assert 0 < annotation.height < 1 << 31
    for it in annotation.objects:
        assert all(math.isfinite(edge) for edge in (it.xmin, it.ymin, it.xmax, it.ymax))


def _read_kit(members: dict[str, bytes], folder: Path) -> None:
    devkit = read_devkit(_file(folder, "devkit.tar", tar(members)))
    identifiers = devkit.synsets["ilsvrc2012_id"].to_pylist()
    assert identifiers == list(range(1, len(identifiers) + 1))
    assert set(devkit.ground_truth.tolist()) <= set(identifiers)


def _read_multilabel(content: bytes, folder: Path) -> None:
    path = _file(folder, "multilabel.json", content)
    table = read_multilabel(path, VALIDATION, CLASSES, {CRANE, FOX, MACHINE})
    assert set(table["file_name"].to_pylist()) <= {"v1", "v2", "v3"}


def _read_real_labels(content: bytes, folder: Path) -> None:
    labels = read_real_labels(_file(folder, "real.json", content), 3, 3)
    assert len(labels) == 3
    assert all(0 <= label < 3 for entry in labels for label in entry)


def _read_records(content: bytes, folder: Path) -> None:
    """Both ways to find the records find the same ones; each is an Example or none."""
    path = _file(folder, "train-00000-of-00001", content)
    ranges = list(tfrecord.record_ranges(path))
    assert sum(size for _, size in ranges) == len(content)
    with path.open("rb", buffering=0) as file, Stream(file) as stream:
        found = []
        for offset, data in tfrecord.records(stream, str(path)):
            found.append((offset, len(data) + tfrecord.HEADER_BYTES + tfrecord.FOOTER_BYTES))
            with contextlib.suppress(ValueError):
                example.decode(data)
    assert found == ranges


def _read_predictions(name: str, content: bytes, folder: Path) -> None:
    validation = ValidationSet(["v1", "v2"], ["v1", "v2"], [CRANE, FOX, MACHINE], range(3))
    found = read_predictions(_file(folder, name, content), validation, for_part="")
    assert found.images.tolist() == [0, 1]
    assert found.indices.shape[0] == 2
    assert found.indices.dtype == np.int64


def _complete_configuration(config: Any, folder: Path) -> None:
    completed = configuration.complete(config, folder)
    assert set(completed) >= {"output_dir", "archives", "tfrecord"}


def _file(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


READERS: dict[str, Reader] = {
    "tar scanner": Reader(SMALL_ARCHIVES, _scan_tar),
    "compressed archive": Reader(COMPRESSED_ARCHIVES, _read_compressed, memory=400, forged=True),
    "class folders": Reader(SMALL_ARCHIVES, _make_class_folders, memory=128, forged=True),
    "image": Reader(IMAGES, _read_image, (ValueError,), memory=900),
    "VOC XML": Reader(xml_files(), _parse_xml, forged=True),
    "meta.mat": Reader(KITS, _read_kit, memory=128, forged=True),
    "multi-label JSON": Reader(MULTILABELS, _read_multilabel, memory=128, forged=True),
    "ReaL JSON": Reader(REAL_LABELS, _read_real_labels, memory=200, forged=True),
    "TFRecord": Reader(RECORDS, _read_records, forged=True),
    "predictions": Reader(PREDICTIONS, partial(_read_predictions, "model.csv")),
    "array of predictions": Reader(ARRAYS, partial(_read_predictions, "model.npy")),
    "JSON of predictions": Reader(DOCUMENTS | PREDICTED, partial(_read_predictions, "model.json")),
    "configuration": Reader(configurations(), _complete_configuration),
}
