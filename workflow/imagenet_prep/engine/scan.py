"""The scan of an image archive: where every image lies in it, how large it is, and its checksums."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.datasets.dataset import Dataset, Layout, Split
from imagenet_prep.datasets.names import CLASS_TAR, MIXED, official_name
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_check import (
    DOWNLOAD_AGAIN,
    Expected,
    expect_checksum,
    expect_size,
    expect_there,
    expected_of,
    folder_receipt,
    introduce,
    receipt,
)
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet, picture, tar, tar_header, zip_archive
from imagenet_prep.formats.stream import Buffer, EndOfStream, Stream
from imagenet_prep.progress import Progress

IMAGE_LIMIT = 256 << 20
ROWS = 1 << 16

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


def scan(name: str, path: Path, expected: Expected, output: Path, dataset: Dataset, below: str = "") -> dict[str, Any]:
    """Read an image archive once, write one row an image (schema `SCAN`) in archive order; return the receipt.

    A class archive is a row group; of flat archives, 65536 images are. Memory is bounded by the larger of the two, and
    by the names of one flat archive or class, which are remembered.

    Args:
        name: the archive's, in the configuration.
        path: the archive; its base name goes into the column `archive`.
        output: the Parquet file to write.
        dataset: that the archive is of.
        below: of a folder in place of an archive, its path below `archives_dir`.

    Raises:
        PrepError: as `verify`; also for a member that is no whole image or whose name does not fit its archive.
    """
    introduce(path)
    expect_there(path)
    if archive_paths.is_folder(path):
        from imagenet_prep.engine.scan_source import scan_folder

        found = scan_folder(dataset.of_archive[name], archive_paths.target_of(path), below, output)
        told = {"passed_over": found.passed_over}
        return folder_receipt(name, path, below, found.sha256, found.nbytes, found.images, **told)
    if zip_archive.is_zip(path):
        from imagenet_prep.engine.scan_source import scan_zip

        found = scan_zip(dataset.of_archive[name], path, output)
        source, told = os.path.basename(os.path.realpath(path)), {"passed_over": found.passed_over}
        return folder_receipt(name, path, source, found.sha256, found.nbytes, found.images, **told)
    expected = expected_of(path, expected)
    expect_size(path, expected)
    if not _is_official(path, dataset.archives[name].layout, dataset.of_archive[name]):
        from imagenet_prep.engine.scan_source import scan_tar

        found, checksum = scan_tar(dataset.of_archive[name], path, expected.algorithm, output)
        expect_checksum(path, expected, checksum)
        size = path.stat().st_size
        made = receipt(name, path, expected, size, checksum, found.images)
        return {**made, "passed_over": found.passed_over, "source": os.path.basename(os.path.realpath(path))}
    rows = 0
    nested, filename = dataset.archives[name].layout is Layout.CLASS_TARS, dataset.of_archive[name].filename
    with open(path, "rb", buffering=0) as file, parquet.writing(output, SCAN) as writer:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"scanning {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            look = _nested_images if nested else _flat_images
            for group in _groups(look(stream, path, size, filename), nested):
                writer.write_batch(batch_of(group))
                rows += len(group)
                progress.count.images = rows
            stream.drain()
            progress.end()
            checksum = stream.hexdigest()
        expect_checksum(path, expected, checksum)
        if not rows:
            raise PrepError(path, "the archive holds no image", DOWNLOAD_AGAIN)
    return receipt(name, path, expected, size, checksum, rows)


def _is_official(path: Path, layout: Layout | None, split: Split) -> bool:
    """Whether a tar begins as the official archive does, as far as it can be read."""
    try:
        first = next(tar.members(path), None)
        if first is None:
            return True
        if MIXED in first.name:
            return False
        base = first.name.rpartition("/")[2]
        named = official_name(base, split)
        if layout is not Layout.CLASS_TARS:
            return named is None or named[0] == base
        if not CLASS_TAR.fullmatch(base):
            return named is None
        with open(path, "rb") as file:
            file.seek(first.offset)
            inner = file.read(tar_header.BLOCK)
        return base == first.name and "/" not in tar_header.name(inner)
    except (PrepError, ValueError, OSError):
        return True


Row = tuple[str, str | None, str, int, int, int, int, int, str, str, int]


def _groups(images: Iterator[Row], nested: bool) -> Iterator[list[Row]]:
    """The images class by class, or so many at a time."""
    number = itertools.count()
    for _, group in itertools.groupby(images, itemgetter(1) if nested else lambda _: next(number) // ROWS):
        yield list(group)


def _nested_images(stream: Stream, path: Path, size: int, filename: str) -> Iterator[Row]:
    place = os.fspath(path)
    for class_tar in tar.walk(stream, place, end=size):
        matched = CLASS_TAR.fullmatch(class_tar.name)
        if not matched:
            raise PrepError(
                place,
                "the member is no class archive (nXXXXXXXX.tar)",
                tar.DAMAGED,
                member=class_tar.name,
                offset=class_tar.offset,
            )
        wnid = matched[1]
        fits = re.compile(filename.format(wnid=wnid), re.ASCII).fullmatch
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


def _flat_images(stream: Stream, path: Path, size: int, pattern: str) -> Iterator[Row]:
    fits = re.compile(pattern.format(wnid=r"n\d{8}"), re.ASCII).fullmatch
    seen: set[str] = set()
    for member in tar.walk(stream, os.fspath(path), end=size):
        filename = member.name.rpartition("/")[2]
        if filename in seen:  # `walk` compares whole names; here two folders may not hold the same one
            raise PrepError(
                path, "two members have this file name", tar.DAMAGED, member=member.name, offset=member.offset
            )
        seen.add(filename)
        yield _row(stream, path, member, member.name, filename, None, fits)


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
        return row_of(data, filename, wnid, path.name, member.offset)
    except ValueError as error:
        raise refuse(str(error)) from error


def row_of(data: Buffer, filename: str, wnid: str | None, archive: str, offset: int) -> Row:
    """What is noted of an image; raises `ValueError` where it is none, or not whole."""
    header = picture.identify(data)
    return (
        filename,
        wnid,
        archive,
        offset,
        len(data),
        header.width,
        header.height,
        header.channels,
        header.format,
        header.colorspace,
        crc32c(data),
    )


def batch_of(rows: list[Row]) -> pa.RecordBatch:
    """Rows as Arrow has them, schema `SCAN`."""
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCAN, strict=True)]
    return pa.record_batch(columns, schema=SCAN)
