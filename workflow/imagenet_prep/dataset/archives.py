"""The official archives: what they are, whether they are the right ones, and where every image lies in them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep import versions
from imagenet_prep.dataset import possessions
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet, picture, tar, tar_header
from imagenet_prep.formats.stream import EndOfStream, Stream
from imagenet_prep.progress import Progress

SPLIT_OF_ARCHIVE = {"train": "train", "val": "validation", "test": "test", "train_t3": "train_t3"}
NESTED = ("train", "train_t3")
IMAGE_LIMIT = 256 << 20
ROWS = 1 << 16
DOWNLOAD_AGAIN = "Delete it and run again to have it downloaded, or get the right one and put it in its place"

SCAN = pa.schema(
    [
        ("filename", pa.string()),
        ("wnid", pa.string()),
        ("archive", pa.string()),
        ("offset", pa.int64()),
        ("nbytes", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("channels", pa.int8()),
        ("format", pa.string()),
        ("colorspace", pa.string()),
        ("crc32c", pa.uint32()),
    ]
)

log = logging.getLogger(__name__)

_CLASS_TAR = re.compile(r"(n\d{8})\.tar")
_NUMBERED = {
    "val": re.compile(r"ILSVRC2012_val_\d{8}\.JPEG"),
    "test": re.compile(r"ILSVRC2012_test_\d{8}\.JPEG"),
}


@dataclass(frozen=True)
class Expected:
    """What the configuration says of an archive.

    Attributes:
        algorithm: "md5" or "sha256".
        checksum: in hexadecimal; None where it is not known.
        nbytes: the size; None where it is not known.
        unpacked_sha256: SHA-256 of the archive less its compression, which is accepted too; None where it is not known.
    """

    algorithm: str = "md5"
    checksum: str | None = None
    nbytes: int | None = None
    unpacked_sha256: str | None = None


def verify(name: str, path: Path, expected: Expected) -> dict[str, Any]:
    """Read an archive once; return its receipt.

    Of a tar archive, compressed or not, every member is looked at too; of other files only the checksum is made.

    Raises:
        PrepError: not there, of another size or checksum than expected, cut off, or holding what no archive may.
    """
    _introduce(path)
    if expected.unpacked_sha256 and _is_plain_tar(path):
        log.info("%s is not compressed, as browsers leave it: compared with the content of the official one", path)
        expected = Expected("sha256", expected.unpacked_sha256)
    _expect_size(path, expected)
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"verifying {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            stream.drain()
            checksum = stream.hexdigest()
    _expect_checksum(path, expected, checksum)
    members = None
    if not path.name.endswith(".json"):
        members = sum(1 for _ in tar.read_files(path))
    return _receipt(name, path, expected, size, checksum, members)


def scan(name: str, path: Path, expected: Expected, output: Path) -> dict[str, Any]:
    """Read an image archive once, write one row an image (schema `SCAN`) in archive order; return the receipt.

    Memory is bounded: rows go out in groups of 65536, and only the names of one flat archive or class are remembered.

    Args:
        name: "train" and "train_t3" are archives of one tar a class, "val" and "test" are flat.
        path: the archive; its base name goes into the column `archive`.
        output: the Parquet file to write.

    Raises:
        PrepError: as `verify`; also for a member that is no whole image or whose name does not fit its archive.
    """
    _introduce(path)
    _expect_size(path, expected)
    rows = 0
    with open(path, "rb", buffering=0) as file, parquet.writing(output, SCAN) as writer:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"scanning {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            images = _nested_images(stream, path, size) if name in NESTED else _flat_images(stream, path, size, name)
            columns: list[list[Any]] = [[] for _ in SCAN]
            for image in images:
                for column, value in zip(columns, image, strict=True):
                    column.append(value)
                rows += 1
                if len(columns[0]) == ROWS:
                    writer.write_batch(pa.record_batch(columns, schema=SCAN))
                    columns = [[] for _ in SCAN]
            writer.write_batch(pa.record_batch(columns, schema=SCAN))
            stream.drain()
            checksum = stream.hexdigest()
        _expect_checksum(path, expected, checksum)
        if not rows:
            raise PrepError(path, "the archive holds no image", DOWNLOAD_AGAIN)
    return _receipt(name, path, expected, size, checksum, rows)


Row = tuple[str, str | None, str, int, int, int, int, int, str, str, int]


def _nested_images(stream: Stream, path: Path, size: int) -> Iterator[Row]:
    place = os.fspath(path)
    for class_tar in tar.walk(stream, place, end=size):
        matched = _CLASS_TAR.fullmatch(class_tar.name)
        if not matched:
            raise PrepError(
                place,
                "the member is no class archive (nXXXXXXXX.tar)",
                tar.DAMAGED,
                member=class_tar.name,
                offset=class_tar.offset,
            )
        wnid = matched[1]
        fits = re.compile(rf"{wnid}_\d+\.JPEG").fullmatch
        end = class_tar.offset + class_tar.nbytes
        images = 0
        for member in tar.walk(stream, place, end=end, within=class_tar.name):
            yield _row(stream, path, member, f"{class_tar.name}/{member.name}", member.name, wnid, fits)
            images += 1
        if not images:
            raise PrepError(
                place,
                "the class archive holds no image",
                tar.DAMAGED,
                member=class_tar.name,
                offset=class_tar.offset,
            )


def _flat_images(stream: Stream, path: Path, size: int, name: str) -> Iterator[Row]:
    seen: set[str] = set()
    for member in tar.walk(stream, os.fspath(path), end=size):
        filename = member.name.rpartition("/")[2]
        if filename in seen:  # `walk` compares whole names; here two folders may not hold the same one
            raise PrepError(
                path, "two members have this file name", tar.DAMAGED, member=member.name, offset=member.offset
            )
        seen.add(filename)
        yield _row(stream, path, member, member.name, filename, None, _NUMBERED[name].fullmatch)


def _row(
    stream: Stream,
    path: Path,
    member: tar.Member,
    shown: str,
    filename: str,
    wnid: str | None,
    fits: Callable[[str], object],
) -> Row:
    def refuse(problem: str, remedy: str = tar.DAMAGED) -> PrepError:
        return PrepError(path, problem, remedy, member=shown, offset=member.offset)

    if not fits(filename):
        raise refuse("the file name is not one that this archive holds")
    if member.nbytes > IMAGE_LIMIT:
        raise refuse(f"an image of {member.nbytes} bytes cannot be")
    try:
        data = stream.take(member.nbytes)
    except EndOfStream as error:
        raise refuse("the archive ends inside this image: it is cut off", tar.CUT_OFF) from error
    try:
        header = picture.identify(data)
    except ValueError as error:
        raise refuse(str(error)) from error
    return (
        filename,
        wnid,
        path.name,
        member.offset,
        member.nbytes,
        header.width,
        header.height,
        header.channels,
        header.format,
        header.colorspace,
        crc32c(data),
    )


def _introduce(path: Path) -> None:
    if said := possessions.introduction(path):
        log.info("%s", said)


def _is_plain_tar(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        header = file.read(tar_header.BLOCK)
    return len(header) == tar_header.BLOCK and tar_header.checksum_holds(header)


def _expect_size(path: Path, expected: Expected) -> None:
    if not path.exists():
        target = os.path.realpath(path)
        raise PrepError(
            target,
            "the archive is not there",
            f"Put it back, or delete the link {path} and run again to have it downloaded",
        )
    if not path.is_file():
        raise PrepError(path, "this is no file", DOWNLOAD_AGAIN)
    size = path.stat().st_size
    if expected.nbytes is not None and size != expected.nbytes:
        kind = "cut off" if size < expected.nbytes else "not the one expected"
        problem = f"it has {size} bytes where {expected.nbytes} are expected: it is {kind}"
        raise PrepError(os.path.realpath(path), problem, DOWNLOAD_AGAIN)


def _expect_checksum(path: Path, expected: Expected, checksum: str) -> None:
    if expected.checksum is not None and checksum != expected.checksum.lower():
        problem = f"its {expected.algorithm} is {checksum} where {expected.checksum} is expected"
        raise PrepError(os.path.realpath(path), f"{problem}: it is damaged or another file", DOWNLOAD_AGAIN)


def _receipt(
    name: str, path: Path, expected: Expected, size: int, checksum: str, members: int | None
) -> dict[str, Any]:
    return {
        "name": name,
        "file": path.name,
        "bytes": size,
        expected.algorithm: checksum,
        "expected": expected.checksum,
        "members": members,
        "format_version": versions.SCAN,
    }
