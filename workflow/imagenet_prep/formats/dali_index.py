"""Index files with which NVIDIA DALI's `fn.readers.webdataset` reads images out of any tar, also one in another tar.

The form is that of DALI's `wds2idx`, version 1.2 (documented there and read in DALI's source): a first line `v1.2
<n>`, then a line a sample, `<extension> <offset> <size> <name>` for each of its components, all separated by spaces.
DALI goes by offset and size, of which the offset has to be a multiple of 512, and looks at no tar header. So the
header, 512 bytes before the image, is a component like any other: its first bytes are the file name.
"""

from __future__ import annotations

import os
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_prep import atomic
from imagenet_prep.formats.tar_header import BLOCK
from imagenet_prep.formats.webdataset import INDEX_VERSION

IMAGE, HEADER = "jpg", "hdr"
_HEADERS_NAME = "header"
_LINES_AT_A_TIME = 1 << 16
_COLUMNS = {
    "image": pa.string(),
    "offset": pa.int64(),
    "length": pa.int64(),
    "filename": pa.string(),
    "header": pa.string(),
    "header_offset": pa.int64(),
    "header_length": pa.int64(),
    "header_name": pa.string(),
}


def write(path: str | os.PathLike[str], images: pa.Table, header_bytes: int) -> None:
    """Write the index of images in this order.

    Args:
        path: the file, which appears whole.
        images: with `filename`, `offset` and `length` (bytes) of each; right before each lies its header.
        header_bytes: how much of its header each sample has.
    """
    with atomic.replacing(path) as partial, open(partial, "wb") as file:
        file.write(f"{INDEX_VERSION} {len(images)}\n".encode())
        for part in images.to_batches(max_chunksize=_LINES_AT_A_TIME):
            offset = part["offset"]
            numbers = [offset, part["length"], pc.subtract(offset, BLOCK)]
            of, size, before = (pc.cast(it, pa.string()) for it in numbers)
            header = (HEADER, before, str(header_bytes), _HEADERS_NAME)
            lines = pc.binary_join_element_wise(IMAGE, of, size, part["filename"], *header, " ")
            file.write("".join(f"{line}\n" for line in lines.to_pylist()).encode())


def read(data: bytes, header_bytes: int) -> pa.Table:
    """The samples of an index: `filename` (string), `offset` and `length` (int64, bytes) of the image of each.

    Raises:
        ValueError: it is no such index, or a header is not the first bytes of the block before its image.
    """
    first, _, rest = data.partition(b"\n")
    version, _, count = first.partition(b" ")
    if version != INDEX_VERSION.encode() or not count.isdigit():
        raise ValueError(f"the first line is not {INDEX_VERSION} and a number")
    if not rest:
        samples = pa.schema(_COLUMNS).empty_table()
    else:
        samples = pyarrow.csv.read_csv(
            BytesIO(rest),
            pyarrow.csv.ReadOptions(column_names=list(_COLUMNS)),
            pyarrow.csv.ParseOptions(delimiter=" ", quote_char=False, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(column_types=_COLUMNS, strings_can_be_null=False),
        )
    if len(samples) != int(count) or not data.endswith(b"\n"):
        raise ValueError(f"it has {len(samples)} lines in place of {int(count)}")
    for name, wanted in (("image", IMAGE), ("header", HEADER), ("header_length", header_bytes)):
        if pc.any(pc.not_equal(samples[name], wanted)).as_py():
            raise ValueError(f"a sample has another {name.replace('_', ' ')} than {wanted}")
    if not np.array_equal(samples["header_offset"].to_numpy() + BLOCK, samples["offset"].to_numpy()):
        raise ValueError("the header of a sample is not the block before its image")
    return samples.select(["filename", "offset", "length"])
