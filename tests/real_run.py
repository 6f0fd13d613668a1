"""What a run on the real devkit, images, boxes and labels made, read by other means than the library's."""

from __future__ import annotations

import csv
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tfrecord import example_pb2, reader

from project import Project

Record = dict[str, list[Any]]


def name_of(number: int) -> str:
    return f"ILSVRC2012_val_{number:08d}.JPEG"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    return rows


def read_records(project: Project) -> dict[str, Record]:
    """Every record by its file name, as two packages that know nothing of this one read it."""
    found: dict[str, Record] = {}
    for path in sorted((project.results / "tfrecord").glob("*-of-*")):
        for data in reader.tfrecord_iterator(str(path)):
            features = example_pb2.Example.FromString(bytes(data)).features.feature
            record = {name: list(getattr(one, one.WhichOneof("kind")).value) for name, one in features.items()}
            (filename,) = record["image/filename"]
            assert filename.decode() not in found, f"{filename} is in two records"
            found[filename.decode()] = record
    return found


def files_of_images(project: Project) -> list[Path]:
    return sorted((project.results / "imagefolder" / "val").rglob("*.*"))


def contents(archive: Path) -> dict[str, bytes]:
    """The files of a tar archive by name, as Python's tarfile reads them."""
    content = {}
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member)
            assert file is not None
            content[member.name] = file.read()
    return content
