"""The scan of an image archive: where every image lies in it, how large it is, and its checksums."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.dataset import Dataset, Layout, Split
from imagenet_prep.datasets.names import CLASS_FOLDER, CLASS_TAR, MIXED, is_of_another, official_name
from imagenet_prep.engine import archive_paths, archive_remedies
from imagenet_prep.engine.archive_check import (
    Expected,
    expect_checksum,
    expect_size,
    expect_there,
    folder_receipt,
    introduce,
    receipt,
)
from imagenet_prep.engine.archive_headers import NOTES, ODD_HEADER, OF_FOLDER, OF_ZIP, WITHOUT_HEADERS
from imagenet_prep.engine.archive_remedies import DOWNLOAD_AGAIN
from imagenet_prep.engine.scan_images import ArchiveScan
from imagenet_prep.engine.scan_rows import ROWS, SCAN, Row, batch_of
from imagenet_prep.engine.scan_source import Found, scan_folder, scan_tar, scan_zip
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet, tar, zip_archive
from imagenet_prep.formats.stream import Stream
from imagenet_prep.progress import Progress

_LOOKED_AT = 50  # members at the beginning of an archive


def scan(name: str, path: Path, expected: Expected, output: Path, dataset: Dataset, below: str = "") -> dict[str, Any]:
    """Read an image archive once, write a row for each image (schema `SCAN`), and return the receipt.

    The rows of an archive of the official layout are in its order: a row group for each class tar, or for each 65536
    images of a flat archive. Memory is bounded by one row group, and by the names in one class tar or flat archive.
    What stands in for an archive in another form is written by file name. Members that are neither images nor archives
    are passed over, and counted in the receipt.

    Args:
        name: the archive's, in the configuration.
        path: the archive; its base name goes into the column `archive`.
        expected: what the configuration says of it.
        output: the Parquet file to write.
        dataset: that the archive is of.
        below: of a folder in place of an archive, its path below `archives_dir`.

    Raises:
        PrepError: as `archive_check.verify`; also a member is no whole image, or its name does not fit the archive.
    """
    introduce(path)
    expect_there(path)
    split = dataset.of_archive[name]
    others = [it for it in dataset.splits.values() if it is not split]
    if archive_paths.is_folder(path):
        found = scan_folder(split, archive_paths.target_of(path), below, output, others)
        return _receipt_of_files(name, path, below, found, OF_FOLDER)
    if expected.is_stood_in_for and zip_archive.is_zip(path):
        return _receipt_of_files(name, path, _file_of(path), scan_zip(split, path, output, others), OF_ZIP)
    expect_size(name, path, expected)
    with archive_remedies.made_by_hand(expected.checksum is None):
        if _is_official(path, dataset.archives[name].layout, split, others):
            return _scan_official(name, path, expected, output, dataset)
        found, checksum = scan_tar(split, path, expected.algorithm, output, others)
    expect_checksum(name, path, expected, checksum)
    return {
        **receipt(name, path, expected, path.stat().st_size, checksum, found.images),
        "passed_over": found.passed_over,
        "source": _file_of(path),
        NOTES: {ODD_HEADER: found.odd_header},
    }


def _scan_official(name: str, path: Path, expected: Expected, output: Path, dataset: Dataset) -> dict[str, Any]:
    rows = 0
    nested, filename = dataset.archives[name].layout is Layout.CLASS_TARS, dataset.of_archive[name].filename
    with open(path, "rb", buffering=0) as file, parquet.writing(output, SCAN) as writer:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"scanning {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            images = ArchiveScan(stream, path, size, filename, nested)
            for group in _groups(images.rows(), nested):
                writer.write_batch(batch_of(group))
                rows += len(group)
                progress.count.images = rows
            stream.drain()
            progress.end()
            checksum = stream.hexdigest()
        expect_checksum(name, path, expected, checksum)
        if not rows:
            raise PrepError(path, "the archive holds no image", DOWNLOAD_AGAIN)
    return {
        **receipt(name, path, expected, size, checksum, rows, images.passed_over),
        NOTES: {ODD_HEADER: images.odd_header},
    }


def _receipt_of_files(name: str, path: Path, source: str, found: Found, lie_in: str) -> dict[str, Any]:
    told = {"passed_over": found.passed_over, NOTES: {ODD_HEADER: None, WITHOUT_HEADERS: lie_in}}
    return folder_receipt(name, path, source, found.sha256, found.nbytes, found.images, **told)


def _file_of(path: Path) -> str:
    return os.path.basename(os.path.realpath(path))


def _is_official(path: Path, layout: Layout | None, split: Split, others: Sequence[Split]) -> bool:
    """Whether the images of a tar lie in it as in the official archive, as far as its first members tell."""
    try:
        for member in itertools.islice(tar.members(path), _LOOKED_AT):
            *above, base = member.name.split("/")
            if MIXED in member.name:
                return False
            if layout is Layout.CLASS_TARS and CLASS_TAR.fullmatch(base):
                return True
            if named := official_name(base, split):
                in_classes = above and CLASS_FOLDER.fullmatch(above[-1])
                return layout is not Layout.CLASS_TARS and named[0] == base and not in_classes
            if is_of_another(member.name, split, others):
                return False
    except (PrepError, OSError):  # whoever reads all of it says so
        pass
    return True


def _groups(images: Iterator[Row], nested: bool) -> Iterator[list[Row]]:
    """The images class by class, or so many at a time."""
    number = itertools.count()
    for _, group in itertools.groupby(images, itemgetter(1) if nested else lambda _: next(number) // ROWS):
        yield list(group)
