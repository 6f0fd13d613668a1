"""What a scan notes of an image, and how: a row each, in a table by its schema."""

from __future__ import annotations

import pyarrow as pa
from crc32c import crc32c

from imagenet_prep.formats import picture
from imagenet_prep.formats.stream import Buffer

IMAGE_LIMIT = 256 << 20
"""Bytes; what is larger is no image."""

ROWS = 1 << 16
"""Rows of a row group, where that is not a class."""

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
"""A row for each image: `offset` and `nbytes` in bytes, in the file `archive`; `width` and `height` in pixels."""

Row = tuple[str, str | None, str, int, int, int, int, int, str, str, int]


def row_of(data: Buffer, filename: str, wnid: str | None, archive: str, offset: int) -> Row:
    """What is noted of an image; raises `ValueError` where `data` is no image, or not a whole one."""
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
    """Rows as an Arrow record batch, schema `SCAN`."""
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCAN, strict=True)]
    return pa.record_batch(columns, schema=SCAN)
