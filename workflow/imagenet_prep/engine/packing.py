"""Packing: what is compressed becomes one plain tar, once, with the members as they are.

A packed tar is an archive like any other from then on. It is written beside its place, and after a kill what is there
already is kept, as far as it is what would be written again.
"""

from __future__ import annotations

import gzip
import logging
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.datasets.dataset import Dataset, Labels
from imagenet_prep.datasets.names import CLASS_FOLDER, GIVEN_LABELS, MAPPING, SOLUTION, is_of, official_name
from imagenet_prep.datasets.solution import box_files
from imagenet_prep.engine import packed
from imagenet_prep.engine.scan_rows import IMAGE_LIMIT
from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import files, picture, tar, zip_archive
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar_end import END
from imagenet_prep.formats.tar_header import BLOCK
from imagenet_prep.formats.tree import Walk, is_passed_over
from imagenet_prep.progress import Progress

_CHUNK = 4 << 20
_LIST_LIMIT = 256 << 20

Content = tuple[str, int, Iterable[bytes | memoryview]]
"""A member: name, bytes, and its content in pieces."""

log = logging.getLogger(__name__)


def pack(name: str, parts: Sequence[Path], dataset: Dataset, output: Path) -> Path:
    """Pack what stands in for an archive into one plain tar, and note from what; return the path of that.

    One gzip-compressed tar is unpacked as it is. Of several, and of what holds more than this archive does, the members
    are taken that it has.

    Args:
        name: the archive's, in the configuration.
        parts: the files that it is in, in order.
        dataset: that it is of.
        output: the tar.

    Raises:
        PrepError: one of them is damaged, or cut off.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    note = packed.note_of(parts)
    unfinished = output.with_name(f"{output.name}.part")
    log.info("packing %s into %s", ", ".join(map(str, parts)), output)
    with open(unfinished, "r+b" if unfinished.exists() else "x+b", buffering=0) as file:
        sink = _Sink(file.fileno())
        progress = Progress(f"packing {output.name}", sum(path.stat().st_size for path in parts))
        if len(parts) == 1 and name != dataset.devkit and packed.is_gzip(parts[0]) and not packed.is_mixed(parts[0]):
            for chunk in _decompressed(parts[0], progress):
                sink.write(chunk)
        else:
            members = 0
            for content in _members(name, parts, dataset, progress):
                _add(sink, *content)
                members += 1
            if not members:
                problem = f"it holds nothing of {output.name}"
                raise PrepError(parts[0], problem, f"Take {name} out of use, or get a source that has it")
            sink.write(END)
        sink.finish()
        progress.end()
    packed.write_note(output, note)
    os.replace(unfinished, output)
    atomic.sync_folder(output.parent)
    return output


class _Sink:
    """A file written from its beginning; what an earlier attempt wrote is kept as far as it is the same."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._offset = 0
        self._kept = os.fstat(descriptor).st_size

    def write(self, data: bytes | memoryview) -> None:
        if self._offset < self._kept:
            if os.pread(self._descriptor, len(data), self._offset) == data:
                self._offset += len(data)
                return
            os.ftruncate(self._descriptor, self._offset)
            self._kept = 0
        view = memoryview(data)
        while len(view):
            count = os.pwrite(self._descriptor, view, self._offset)
            self._offset += count
            view = view[count:]

    def finish(self) -> None:
        os.ftruncate(self._descriptor, self._offset)
        os.fsync(self._descriptor)


def _add(sink: _Sink, name: str, nbytes: int, content: Iterable[bytes | memoryview]) -> None:
    info = tarfile.TarInfo(name)
    info.size = nbytes
    sink.write(info.tobuf(tarfile.GNU_FORMAT))
    for chunk in content:
        sink.write(chunk)
    sink.write(bytes(-nbytes % BLOCK))


def _decompressed(path: Path, progress: Progress) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file, reading(path), tar.broken_compression(os.fspath(path)):
        stream = gzip.GzipFile(fileobj=file)
        while chunk := stream.read(_CHUNK):
            yield chunk
            progress.reach(file.tell())


def _members(name: str, parts: Sequence[Path], dataset: Dataset, progress: Progress) -> Iterator[Content]:
    wanted = is_of(name, dataset)
    done = 0
    if name != dataset.devkit and parts[0].name == SOLUTION:
        for member, xml in box_files(parts[0], partial(_size_of, parts[1])):
            yield member, len(xml), [xml]
        return
    if name == dataset.devkit and not any(map(_holds_labels, parts)):
        yield _label_list(parts, dataset)
        return
    for path in parts:
        read = _of_zip if zip_archive.is_zip(path) else _READERS.get(path.suffix, _of_tar)
        for member, nbytes, content, at in read(path):
            if not is_passed_over(member) and wanted(member):
                yield member, nbytes, content
            progress.reach(done + at)
        done += path.stat().st_size


Placed = tuple[str, int, Iterable[bytes | memoryview], int]
"""A member, and how many bytes of the file that it is in were read, for the progress."""


def _of_tar(path: Path) -> Iterator[Placed]:
    with tar.opened(path) as (file, stream, end):
        for member in tar.walk(stream, os.fspath(path), end=end):
            yield member.name, member.nbytes, _chunks(stream, member.nbytes), file.tell()


def _chunks(stream: Stream, nbytes: int) -> Iterator[bytes | memoryview]:
    while nbytes:
        n = min(nbytes, _CHUNK)
        yield stream.take(n)
        nbytes -= n


def _of_zip(path: Path) -> Iterator[Placed]:
    with open(path, "rb", buffering=0) as file:
        for member in zip_archive.walk(path):
            yield member.name, member.nbytes, _inflated(file.fileno(), member, os.fspath(path)), member.header_offset


def _inflated(descriptor: int, member: zip_archive.Member, place: str) -> Iterator[bytes]:
    yield zip_archive.read(descriptor, member, place)[1]


def _of_parquet(path: Path) -> Iterator[Placed]:
    """The images of a Parquet file of Hugging Face, `image: {bytes, path}` and `label`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(
            path, pre_buffer=False, buffer_size=_CHUNK
        )  # page by page, however large its row groups are
        size = path.stat().st_size
        for number, batch in enumerate(file.iter_batches(64, columns=["image"])):
            for image in batch["image"].to_pylist():
                at = min(size, (number + 1) * 64 * size // max(1, file.metadata.num_rows))
                yield os.path.basename(image["path"]), len(image["bytes"]), [image["bytes"]], at
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        problem = f"this is no Parquet file of images, or it is damaged ({str(error).strip().splitlines()[0]})"
        raise PrepError(path, problem, "Get it again from its source") from error


def _of_list(path: Path) -> Iterator[Placed]:
    content = files.read_file(os.fspath(path), _LIST_LIMIT)
    yield path.name, len(content), [content], len(content)


_READERS = {".parquet": _of_parquet, ".txt": _of_list, ".csv": _of_list}


def _holds_labels(path: Path) -> bool:
    """Whether it is a list of labels, or an archive that has one."""
    return path.name in (MAPPING, SOLUTION) or zip_archive.is_zip(path) or (path.is_file() and packed.is_mixed(path))


def _label_list(parts: Sequence[Path], dataset: Dataset) -> Content:
    """A list of the validation images with the class that their names or folders tell, by file name."""
    split = next(it for it in dataset.splits.values() if it.labels is Labels.GROUND_TRUTH)
    lines = []
    for path in parts:
        names: Iterable[str] = Walk(path) if path.is_dir() else _names(path)
        for name in names:
            folder, _, base = name.rpartition("/")
            named = official_name(base, split)
            told = folder.rpartition("/")[2]
            if named and (label := named[1] or (told if CLASS_FOLDER.fullmatch(told) else None)):
                lines.append(f"{named[0]},{label}\n")
    content = "".join(sorted(lines)).encode()
    return GIVEN_LABELS, len(content), [content]


def _size_of(folder: Path, name: str) -> tuple[int, int]:
    """Width and height of an image in a folder."""
    path = folder / name
    try:
        header = picture.identify(files.read_file(os.fspath(path), IMAGE_LIMIT))
    except ValueError as error:
        raise PrepError(path, str(error), "Get this image again from where the others came from") from error
    return header.width, header.height


def _names(path: Path) -> Iterator[str]:
    read = _of_parquet if path.suffix == ".parquet" else _of_tar
    return (name for name, *_ in read(path))
