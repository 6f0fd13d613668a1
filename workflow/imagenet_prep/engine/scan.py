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

from imagenet_prep.datasets.dataset import Dataset, Layout
from imagenet_prep.engine import archive_remedies
from imagenet_prep.engine.archive_check import Expected, expect_checksum, expect_size, introduce, receipt
from imagenet_prep.engine.archive_headers import NOTES, ODD_HEADER
from imagenet_prep.engine.archive_remedies import DOWNLOAD_AGAIN
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet, picture, tar
from imagenet_prep.formats.file_kind import PEEK, kind_of
from imagenet_prep.formats.passed_over import PassedOver
from imagenet_prep.formats.stream import EndOfStream, Stream
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

_CLASS_TAR = re.compile(r"(n\d{8})\.tar", re.ASCII)
_SEVERAL = re.compile(r"(?i)\.(?:tar|tgz|gz|bz2|xz|zst|zip)$")
_IMAGE = re.compile(r"(?i)\.(?:jpe|jpeg|jpg|png)$")


def scan(name: str, path: Path, expected: Expected, output: Path, dataset: Dataset) -> dict[str, Any]:
    """Read an image archive once, write one row an image (schema `SCAN`) in archive order; return the receipt.

    A class archive is a row group; of flat archives, 65536 images are. Memory is bounded by the larger of the two, and
    by the names of one flat archive or class, which are remembered. Members that are neither images nor archives are
    passed over, and counted in the receipt.

    Args:
        name: the archive's, in the configuration.
        path: the archive; its base name goes into the column `archive`.
        output: the Parquet file to write.
        dataset: that the archive is of.

    Raises:
        PrepError: as `verify`; also for a member that is no whole image or whose name does not fit its archive.
    """
    introduce(path)
    expect_size(name, path, expected)
    rows = 0
    nested, filename = dataset.archives[name].layout is Layout.CLASS_TARS, dataset.of_archive[name].filename
    with (
        archive_remedies.made_by_hand(expected.checksum is None),
        open(path, "rb", buffering=0) as file,
        parquet.writing(output, SCAN) as writer,
    ):
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"scanning {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            images = Images(stream, path, size, filename, nested)
            for group in _groups(images.of_classes() if nested else images.of_archive(), nested):
                columns = [
                    pa.array(column, field.type) for column, field in zip(zip(*group, strict=True), SCAN, strict=True)
                ]
                writer.write_batch(pa.record_batch(columns, schema=SCAN))
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


Row = tuple[str, str | None, str, int, int, int, int, int, str, str, int]


def _groups(images: Iterator[Row], nested: bool) -> Iterator[list[Row]]:
    """The images class by class, or so many at a time."""
    number = itertools.count()
    for _, group in itertools.groupby(images, itemgetter(1) if nested else lambda _: next(number) // ROWS):
        yield list(group)


class Images:
    """The images of an archive in its order, each as its row.

    Attributes:
        passed_over: the members that are none.
        odd_header: the first image whose base name is not what its header begins with; None while there is none.
    """

    def __init__(self, stream: Stream, path: Path, size: int, pattern: str, nested: bool) -> None:
        self.passed_over = PassedOver()
        self.odd_header: str | None = None
        self._stream = stream
        self._path = path
        self._place = os.fspath(path)
        self._size = size
        self._pattern = pattern
        self._nested = nested

    def of_classes(self) -> Iterator[Row]:
        """The images of an archive of class tars."""
        classes: set[str] = set()
        for class_tar in tar.walk(self._stream, self._place, end=self._size, passed_over=self.passed_over):
            matched = _CLASS_TAR.fullmatch(class_tar.name.rpartition("/")[2])
            if not matched:
                self._pass_over_beside_classes(class_tar)
                continue
            wnid = matched[1]
            if wnid in classes:
                raise self._refusal("a class archive of this name comes twice", class_tar)
            classes.add(wnid)
            end, images = class_tar.offset + class_tar.nbytes, 0
            for row in self._of_tar(end, wnid, class_tar.name):
                yield row
                images += 1
            if not images:
                raise self._refusal("the class archive holds no image", class_tar)

    def of_archive(self) -> Iterator[Row]:
        """The images of a flat archive."""
        return self._of_tar(self._size, None, None)

    def _of_tar(self, end: int, wnid: str | None, within: str | None) -> Iterator[Row]:
        fits = re.compile(self._pattern.format(wnid=wnid or r"n\d{8}"), re.ASCII).fullmatch
        seen: set[str] = set()
        for member in tar.walk(self._stream, self._place, end=end, within=within, passed_over=self.passed_over):
            filename = member.name.rpartition("/")[2]
            shown = f"{within}/{member.name}" if within else member.name
            if not fits(filename):
                self._pass_over_beside_images(member, shown, fits)
                continue
            if filename in seen:  # `walk` compares whole names; here two folders may not hold the same one
                raise self._refusal("two members have this file name", member, shown)
            seen.add(filename)
            if self.odd_header is None and not (member.is_named_in_header and member.name == filename):
                self.odd_header = shown
            yield self._row(member, shown, filename, wnid)

    def _pass_over_beside_classes(self, member: tar.Member) -> None:
        """Count a member that is no class tar, but refuse one that images would be lost with."""
        beginning = bytes(self._stream.take(min(PEEK, member.nbytes)))
        kind = kind_of(beginning)
        if (kind and kind.is_image) or _IMAGE.search(member.name):
            remedy = f"Make it again of a tar for each class: {archive_remedies.of_class_folders(self._place)}"
            raise self._refusal(
                "it holds images, where a tar for each class (nXXXXXXXX.tar) is expected", member, None, remedy
            )
        if (kind and kind.packed) or _SEVERAL.search(member.name):
            what = f" but {kind.name}" if kind and kind.packed else ""
            raise self._refusal(f"the member is no class archive (nXXXXXXXX.tar){what}", member)
        self.passed_over.note(member.name)

    def _pass_over_beside_images(self, member: tar.Member, shown: str, fits: Callable[[str], object]) -> None:
        """Count a member that is no image, but refuse one that is, under another name, or that others are in."""
        kind = kind_of(bytes(self._stream.take(min(PEEK, member.nbytes))))
        stem, _, suffix = member.name.rpartition("/")[2].rpartition(".")
        if suffix.lower() in ("jpg", "jpeg") and fits(f"{stem}.JPEG"):
            remedy = f"Rename them: {archive_remedies.renamed(self._place, class_tars=self._nested)}"
            raise self._refusal(f"the image ends in .{suffix}, where .JPEG is expected", member, shown, remedy)
        if (kind and kind.is_image) or _IMAGE.search(member.name):
            raise self._refusal("the file name is not one that this archive holds", member, shown)
        if (kind and kind.packed) or _SEVERAL.search(member.name):
            what = f" ({kind.name})" if kind else ""
            raise self._refusal(f"images are expected, and the member is another archive{what}", member, shown)
        self.passed_over.note(shown)

    def _row(self, member: tar.Member, shown: str, filename: str, wnid: str | None) -> Row:
        if member.nbytes > IMAGE_LIMIT:
            raise self._refusal(f"an image of {member.nbytes} bytes cannot be", member, shown)
        try:
            data = self._stream.take(member.nbytes)
        except EndOfStream as error:
            problem = "the archive ends inside this image: it is cut off"
            raise self._refusal(problem, member, shown, tar.CUT_OFF) from error
        try:
            header = picture.identify(data)
        except ValueError as error:
            raise self._refusal(str(error), member, shown) from error
        return (
            filename,
            wnid,
            self._path.name,
            member.offset,
            member.nbytes,
            header.width,
            header.height,
            header.channels,
            header.format,
            header.colorspace,
            crc32c(data),
        )

    def _refusal(
        self, problem: str, member: tar.Member, shown: str | None = None, remedy: str = tar.DAMAGED
    ) -> PrepError:
        return PrepError(self._path, problem, remedy, member=shown or member.name, offset=member.offset)
