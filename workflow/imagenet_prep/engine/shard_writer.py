"""Shards straight from the archives: byte ranges in, samples out, in the order of the plan, whatever their format."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from crc32c import crc32c

from imagenet_prep import atomic
from imagenet_prep.engine.image_bytes import extract
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet, picture
from imagenet_prep.formats.stream import Buffer
from imagenet_prep.progress import Progress

WINDOW = 160 << 20
"""Bytes of images held at once: a shard of the real set is read in one sweep, and a larger one stays bounded."""

Row = dict[str, Any]
Write = Callable[[FileIO, Iterator[tuple[Row, Buffer]]], Mapping[str, Any]]


@dataclass(frozen=True)
class Reencoding:
    """Which of the odd images are stored again as RGB JPEG of quality 100."""

    cmyk: bool = True
    png: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Reencoding:
        """What the configuration's `shards` asks for."""
        return cls(settings["cmyk_to_rgb"], settings["png_to_jpeg"])

    def wanted(self, row: Mapping[str, Any]) -> bool:
        """Whether the image of this row of a table is one of them."""
        return (self.cmyk and row["colorspace"] == "CMYK") or (self.png and row["format"] == "PNG")


def write_shards(
    plan: Path,
    shards: ShardSet,
    first: int,
    last: int,
    archive: Path,
    reencoding: Reencoding,
    write: Write,
    window: int | None = None,
) -> dict[str, Any]:
    """Write the shards `first` … `last` of a split; return what the receipt says of each file.

    Args:
        plan: the split's plan, a row group a shard.
        shards: all of the split.
        first: the first shard.
        last: the last one.
        archive: in which all images of the split lie.
        reencoding: which images are stored in another form.
        write: writes one shard of the format into a file, and returns its `bytes` and its `crc32c`, and, where files
            are written beside it, their contents as `beside`.
        window: bytes of images held at once, where these are not `WINDOW`.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    file = parquet.open_table(plan)
    sizes = parquet.read_groups(file, plan, range(first, last + 1), ["length"])["length"].to_pylist()
    progress = Progress(f"writing {shards.split} shards {first} to {last}", sum(sizes), images=len(sizes))
    written = {}
    memory = _memory(window or WINDOW)
    for shard in range(first, last + 1):
        rows = parquet.read_groups(file, plan, [shard]).to_pylist()
        path, *others = shards.files_of(shard)
        with atomic.replacing(path) as partial, open(partial, "wb", buffering=0) as output:
            content = dict(write(output, _samples(rows, archive, reencoding, memory)))
        beside = dict(zip(others, content.pop("beside", ()), strict=True))
        written[_name(path, shards)] = {"records": len(rows), **content}
        for other, text in beside.items():
            atomic.write_bytes(other, text)
            written[_name(other, shards)] = {"bytes": len(text), "crc32c": f"{crc32c(text):08x}"}
        progress.advance(sum(row["length"] for row in rows), images=len(rows))
    return {"files": written}


def _name(path: Path, shards: ShardSet) -> str:
    return path.relative_to(shards.output_dir).as_posix()


def _memory(nbytes: int) -> memoryview:
    """Memory for the images of one shard after the other: pages that are new for each cost as much as the reading."""
    memory = mmap.mmap(-1, nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):  # Linux: pages of 2 MiB
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def _samples(
    rows: list[Row], archive: Path, reencoding: Reencoding, memory: memoryview
) -> Iterator[tuple[Row, Buffer]]:
    """The rows with the bytes of their images, encoded again where that is asked for."""
    for row, image in _images(rows, archive, memory):
        if not reencoding.wanted(row):
            yield row, image
            continue
        try:
            yield {**row, "format": "JPEG"}, picture.to_rgb_jpeg(bytes(image))
        except ValueError as error:
            raise PrepError(
                archive,
                str(error),
                "The archive is as it was scanned, so this image was always broken: report it",
                member=row["filename"],
                offset=row["offset"],
            ) from error


def _images(rows: list[Row], archive: Path, memory: memoryview) -> Iterator[tuple[Row, Buffer]]:
    """The rows with their image bytes, in their order; read in windows of `memory`, in each by ascending offset."""
    lengths = [row["length"] for row in rows]
    # A shard that does not fit is read in windows that take turns in its halves: formats may hold the last images that
    # they were given for as long as they take more.
    size = len(memory) if sum(lengths) <= len(memory) else len(memory) // 2
    places = itertools.cycle((memory[:size], memory[size:]))
    start = 0
    while start < len(rows):
        stop, held = start, 0
        while stop < len(rows) and (stop == start or held + lengths[stop] <= size):
            held += lengths[stop]
            stop += 1
        place = next(places) if held <= size else memoryview(bytearray(held))
        ends = itertools.accumulate(lengths[start:stop], initial=0)
        images = [place[begin:end] for begin, end in itertools.pairwise(ends)]
        for _ in extract(archive, rows[start:stop], images):
            pass
        yield from zip(rows[start:stop], images, strict=True)
        start = stop
