"""Images out of their archive: byte ranges, held against the checksums that the scan made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from crc32c import crc32c

from imagenet_prep.errors import PrepError
from imagenet_prep.formats.byte_ranges import read_ranges


def extract(archive: Path, rows: Sequence[dict[str, Any]]) -> Iterator[tuple[int, memoryview]]:
    """Yield (position in `rows`, bytes) of every image, by ascending offset; the bytes are valid until the next one.

    Args:
        archive: in which all of the images lie.
        rows: with `filename`, `offset` and `length` (both in bytes) and `crc32c` of the tables of images.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    offsets, sizes = [row["offset"] for row in rows], [row["length"] for row in rows]
    for position, data in read_ranges(archive, offsets, sizes):
        row = rows[position]
        if crc32c(data) != row["crc32c"]:
            raise PrepError(
                archive,
                "the image's bytes are not those that were verified: the archive has changed, or the disk reads wrong",
                "Put the right archive in its place and run again: it is then verified again",
                member=row["filename"],
                offset=row["offset"],
            )
        yield position, data
