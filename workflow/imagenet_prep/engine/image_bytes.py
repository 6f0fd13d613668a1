"""Images out of their archive: byte ranges, compared with the checksums that the scan took."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from crc32c import crc32c

from imagenet_prep.errors import PrepError
from imagenet_prep.formats.byte_ranges import read_ranges


def extract(
    archive: Path, rows: Sequence[dict[str, Any]], into: Sequence[memoryview] | None = None
) -> Iterator[tuple[int, memoryview]]:
    """Yield (position in `rows`, bytes) of every image, by ascending offset.

    Args:
        archive: in which all of the images lie; or the folder from which their column `archive` names the files.
        rows: with `filename`, `archive`, `offset` and `length` (both in bytes) and `crc32c` of the tables of images.
        into: for each row memory of its length, which then holds the image. Without, it is valid until the next one.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    if not archive.is_dir():
        yield from _extract(archive, rows, range(len(rows)), into)
        return
    names = [row["archive"] for row in rows]
    order = sorted(range(len(rows)), key=names.__getitem__)
    for name, positions in itertools.groupby(order, names.__getitem__):
        yield from _extract(archive / name, rows, list(positions), into)


def _extract(
    file: Path, rows: Sequence[dict[str, Any]], positions: Sequence[int], into: Sequence[memoryview] | None
) -> Iterator[tuple[int, memoryview]]:
    offsets, sizes = [rows[it]["offset"] for it in positions], [rows[it]["length"] for it in positions]
    for number, data in read_ranges(file, offsets, sizes, into and [into[it] for it in positions]):
        position = positions[number]
        row = rows[position]
        if crc32c(data) != row["crc32c"]:
            raise PrepError(
                file,
                "the image's bytes are not those that were verified: the archive has changed, or the disk reads wrong",
                "Put the right one in its place and run again: it is then verified again",
                member=row["filename"],
                offset=row["offset"],
            )
        yield position, data
