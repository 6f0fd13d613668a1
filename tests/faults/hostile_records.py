"""TFRecord files as an enemy would make them: Example messages changed, and frames that lie.

A strategy of hypothesis, which makes as many as one likes.
"""

from __future__ import annotations

import struct

from crc32c import crc32c
from hypothesis import strategies as st

from faults.mutation import NUMBERS, mutated
from imagenet_prep.formats import example, tfrecord

_EXAMPLE = (
    example.around(
        example.bytes_entry("image/filename", b"x.JPEG")
        + example.int64_entry("label", [1, -1])
        + example.float_entry("xmin", [0.5]),
        "image",
        3,
    )
    + b"abc"
)


def record(data: bytes, length: int | None = None) -> bytes:
    """A framed record; its length, with a right checksum, may be a lie."""
    packed = struct.pack("<Q", len(data) if length is None else length)
    return (
        packed
        + struct.pack("<I", tfrecord.masked(crc32c(packed)))
        + data
        + struct.pack("<I", tfrecord.masked(crc32c(data)))
    )


RECORDS = st.lists(
    st.builds(
        record,
        mutated([_EXAMPLE]) | st.binary(max_size=60),
        st.none() | st.none() | st.sampled_from([*NUMBERS, 1 << 63, (1 << 64) - 1]),
    ),
    max_size=4,
).map(b"".join) | mutated([record(_EXAMPLE) * 2])
