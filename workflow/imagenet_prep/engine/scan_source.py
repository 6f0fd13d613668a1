"""The scan of what people have in place of an archive: class folders, class tars, tars of another layout.

No checksum of such a form is published. So every image is checked by its own format, and has to have an official name.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagenet_prep.datasets.dataset import Labels, Split
from imagenet_prep.datasets.names import CLASS_FOLDER, CLASS_TAR, is_of_another, official_name, part_of
from imagenet_prep.engine.scan_rows import IMAGE_LIMIT, ROWS, SCAN, Row, batch_of, row_of
from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import files, parquet, remedies, tar, zip_archive
from imagenet_prep.formats.passed_over import PassedOver
from imagenet_prep.formats.stream import EndOfStream, Stream
from imagenet_prep.formats.tree import Walk, is_passed_over
from imagenet_prep.progress import Progress

_IMAGE = re.compile(r".+\.(?:jpe?g|png)", re.IGNORECASE)
_OTHER_NAME = "Give it its official name, or move it out of the folder"
_GATHERED = 1 << 18  # images


@dataclass
class Found:
    """What a scan has found.

    Attributes:
        images: how many.
        nbytes: of them all.
        sha256: of their places, lengths and checksums, by file name.
        passed_over: files and folders that are no images.
        odd_header: of a tar, the first image whose header does not begin with the official name; None where all do.
    """

    images: int = 0
    nbytes: int = 0
    sha256: str = ""
    passed_over: int = 0
    odd_header: str | None = None


@dataclass
class SourceScan:
    """The scan of a source of the images of a split.

    Args:
        split: whose images it has.
        place: the file or folder, for messages.
        others: splits whose images may lie there, too; they are passed over, and not counted.
    """

    split: Split
    place: str
    others: Collection[Split] = ()
    found: Found = field(default_factory=Found)

    def of_folder(self, folder: Path, below: str) -> Iterator[Row]:
        """The images of class folders, of a flat one, or of class tars in one; `below` is its path in the table."""
        walk, prefix = Walk(folder), "" if below == "." else f"{below}/"
        for name in walk:
            base = name.rpartition("/")[2]
            path = f"{self.place}/{name}"
            is_part = part_of(self.split).fullmatch(base) and base.endswith(".tar")
            if CLASS_TAR.fullmatch(base) or is_part:
                with open(path, "rb", buffering=0) as file, Stream(file) as stream:
                    yield from self.of_tar(stream, path, prefix + name, os.fstat(file.fileno()).st_size)
            elif not _IMAGE.fullmatch(base):
                self.found.passed_over += 1
            elif not is_of_another(name, self.split, self.others):
                filename, wnid = self._named(path, name)
                data = files.read_file(path, IMAGE_LIMIT)
                yield self._row(data, filename, wnid, prefix + name, 0, path)
        self.found.passed_over += walk.passed_over

    def of_tar(
        self, stream: Stream, place: str, archive: str, end: int, within: tar.Member | None = None
    ) -> Iterator[Row]:
        """The images of a tar, in whatever folders and class tars they lie in it."""
        left = PassedOver()
        for member in tar.walk(stream, place, end=end, within=within.name if within else None, passed_over=left):
            base = member.name.rpartition("/")[2]
            shown = f"{within.name}/{member.name}" if within else member.name
            if is_passed_over(member.name):
                self.found.passed_over += 1
            elif CLASS_TAR.fullmatch(base) and within is None:
                yield from self.of_tar(stream, place, archive, member.offset + member.nbytes, member)
            elif not _IMAGE.fullmatch(base):
                self.found.passed_over += 1
            elif not is_of_another(member.name, self.split, self.others):
                folder = CLASS_TAR.fullmatch((within.name if within else place).rpartition("/")[2])
                inside = f"{folder[1]}/{base}" if folder else member.name
                filename, wnid = self._named(place, inside, shown, member.offset)
                if self.found.odd_header is None and not (member.is_named_in_header and member.name == filename):
                    self.found.odd_header = shown
                if member.nbytes > IMAGE_LIMIT:
                    problem = f"an image of {member.nbytes} bytes cannot be"
                    raise PrepError(place, problem, remedies.DAMAGED, member=shown, offset=member.offset)
                try:
                    data = stream.take(member.nbytes)
                except EndOfStream as error:
                    problem = "the archive ends inside this image: it is cut off"
                    raise PrepError(place, problem, remedies.CUT_OFF, member=shown, offset=member.offset) from error
                yield self._row(data, filename, wnid, archive, member.offset, place, shown)
        self.found.passed_over += left.count

    def of_zip(self, path: Path) -> Iterator[Row]:
        """The images that a zip has as they are."""
        with open(path, "rb", buffering=0) as file:
            for member in zip_archive.walk(path):
                base = member.name.rpartition("/")[2]
                if is_passed_over(member.name) or not _IMAGE.fullmatch(base):
                    self.found.passed_over += 1
                elif not is_of_another(member.name, self.split, self.others):
                    filename, wnid = self._named(self.place, member.name, member.name, member.header_offset)
                    offset, data = zip_archive.read(file.fileno(), member, self.place)
                    yield self._row(data, filename, wnid, path.name, offset, self.place, member.name)

    def _named(self, place: str, name: str, member: str | None = None, offset: int | None = None) -> tuple[str, str]:
        """The official name of an image, and its class as name and folder tell it; "" where they do not."""
        folder, _, base = name.rpartition("/")
        official = official_name(base, self.split)
        if official is None:
            problem = f"the file name is not one of the {self.split.name} images"
            raise PrepError(place, problem, _OTHER_NAME, member=member, offset=offset)
        filename, wnid = official
        folder = folder.rpartition("/")[2]
        told = folder if self.split.labels is not Labels.NONE and CLASS_FOLDER.fullmatch(folder) else ""
        if wnid and told.startswith("n") and told != wnid:
            problem = f"the file name says {wnid}, and the folder {told}"
            raise PrepError(place, problem, "Move it to the folder of its class", member=member, offset=offset)
        return filename, wnid or told

    def _row(
        self, data: Any, filename: str, wnid: str, archive: str, offset: int, place: str, member: str | None = None
    ) -> Row:
        try:
            return row_of(data, filename, wnid or None, archive, offset)
        except ValueError as error:
            remedy = "Get this image again from where the others came from"
            raise PrepError(
                place, str(error), remedy, member=member, offset=None if member is None else offset
            ) from error

    def write(self, rows: Iterator[Row], output: Path) -> Found:
        """Write the images by file name as Parquet, schema `SCAN`, a row group a class where the layout tells classes.

        Only the file names are held, by which they are sorted.

        Raises:
            PrepError: no image, or two of one name.
        """
        import pyarrow.compute as pc  # a sixth of the start of a scan, and official archives need none of it

        names = []
        progress = Progress(f"scanning {self.place}", self.split.images, "images")
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent) as unsorted:
            with parquet.into(unsorted, SCAN) as writer:
                for batch in _batches(rows, progress):
                    writer.write_batch(batch)
                    names.append(batch["filename"])
            unsorted.flush()
            progress.end()
            filenames = pa.chunked_array(names, pa.string())
            if not len(filenames):
                problem = f"it holds no image of the {self.split.name} images"
                raise PrepError(
                    self.place, problem, "Look at what lies there, and move it away if it is something else"
                )
            order = pc.sort_indices(filenames).to_numpy().astype(np.int64)
            digest = hashlib.sha256()
            with parquet.writing(output, SCAN) as writer:
                for table in _by_class(_gathered(unsorted, order), self.split.labels is Labels.LAYOUT):
                    self._expect_each_once(table)
                    _update(digest, table)
                    self.found.nbytes += pc.sum(table["nbytes"]).as_py()
                    writer.write_table(table, row_group_size=len(table))
        self.found.images, self.found.sha256 = len(order), digest.hexdigest()
        return self.found

    def _expect_each_once(self, table: pa.Table) -> None:
        import pyarrow.compute as pc

        names = table["filename"].combine_chunks()
        again = pc.index(pc.equal(names[1:], names[:-1]), True).as_py() if len(names) > 1 else -1
        if again >= 0:
            first, second = table.slice(again, 2).to_pylist()
            problem = f"two files have the name {first['filename']}: {first['archive']} and {second['archive']}"
            raise PrepError(self.place, problem, "Move away the one that should not be there")


def _batches(rows: Iterator[Row], progress: Progress) -> Iterator[pa.RecordBatch]:
    waiting: list[Row] = []
    for row in rows:
        waiting.append(row)
        progress.advance(1)
        if len(waiting) == ROWS:
            yield batch_of(waiting)
            waiting = []
    if waiting:
        yield batch_of(waiting)


def _gathered(table: Any, order: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[pa.Table]:
    for start in range(0, len(order), _GATHERED):
        yield parquet.gather(table, order[start : start + _GATHERED], SCAN.names)


def _by_class(tables: Iterator[pa.Table], by_class: bool) -> Iterator[pa.Table]:
    """The tables, where `by_class` cut and joined so that each holds one class; the rows come sorted by class."""
    rest = SCAN.empty_table()
    for table in tables:
        if not by_class:
            yield table.combine_chunks()
            continue
        table = pa.concat_tables([rest, table]).combine_chunks()
        wnids = table["wnid"].to_numpy()
        edges = [0, *(np.flatnonzero(wnids[1:] != wnids[:-1]) + 1).tolist()]
        for start, stop in itertools.pairwise(edges):
            yield table.slice(start, stop - start)
        rest = table.slice(edges[-1])
    if len(rest):
        yield rest


def _update(digest: Any, table: pa.Table) -> None:
    for name in ("filename", "archive"):
        digest.update("\n".join(table[name].to_pylist()).encode() + b"\n")
    for name in ("offset", "nbytes", "crc32c"):
        digest.update(table[name].to_numpy().astype("<i8").tobytes())


def scan_folder(split: Split, folder: Path, below: str, output: Path, others: Collection[Split] = ()) -> Found:
    """Scan a folder, whose path below `archives_dir` is `below`; raises as `write`, and for what is no image."""
    scan = SourceScan(split, os.fspath(folder), others)
    with reading(folder):
        return scan.write(scan.of_folder(folder, below), output)


def scan_tar(
    split: Split, path: Path, algorithm: str, output: Path, others: Collection[Split] = ()
) -> tuple[Found, str]:
    """Scan a tar of another layout than the official one; return with it the checksum of all its bytes."""
    scan = SourceScan(split, os.fspath(path), others)
    with open(path, "rb", buffering=0) as file, Stream(file, algorithm) as stream:
        size = os.fstat(file.fileno()).st_size
        found = scan.write(scan.of_tar(stream, scan.place, path.name, size), output)
        stream.drain()
        return found, stream.hexdigest()


def scan_zip(split: Split, path: Path, output: Path, others: Collection[Split] = ()) -> Found:
    """Scan a zip; each image is compared with the CRC-32 that the zip has of it."""
    scan = SourceScan(split, os.fspath(path), others)
    return scan.write(scan.of_zip(path), output)
