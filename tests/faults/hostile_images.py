"""Images as an enemy would make them: valid ones changed, and others put together from segments and chunks that lie.

Strategies of hypothesis, which make as many as one likes.
"""

from __future__ import annotations

import struct
import zlib

from hypothesis import strategies as st

from builders import image
from faults.mutation import NUMBERS, mutated


def segment(marker: int, content: bytes, length: int | None = None) -> bytes:
    """One segment of a JPEG; its length may be a lie."""
    said = len(content) + 2 if length is None else length
    return bytes([0xFF, marker]) + (said & 0xFFFF).to_bytes(2, "big") + content


def frame(width: int, height: int, channels: int, marker: int = 0xC0) -> bytes:
    """The segment of a JPEG that gives its size."""
    return segment(marker, struct.pack(">BHHB", 8, height, width, channels) + bytes(range(3 * channels)))


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """One chunk of a PNG, its checksum right; its length may be a lie."""
    said = len(content) if length is None else length
    return struct.pack(">I", said) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, pixels: bytes, *extra: bytes, colour: int = 2) -> bytes:
    """A PNG of compressed pixels, whatever size it claims."""
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


_SEGMENTS = st.builds(
    segment, st.integers(0, 255), st.binary(max_size=40), st.none() | st.sampled_from([0, 1, 2, 3, 9, 0x7FFF, 0xFFFF])
)
_FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 24, 4000, 65535]),
    st.sampled_from([0, 1, 16, 4000, 65535]),
    st.integers(0, 5),
    st.sampled_from([0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCF]),
)
_PHOTOS = [
    image(1),
    image(2, mode="CMYK"),
    image(3, mode="L", progressive=True),
    image(4, mode="CMYK", progressive=True),
]
_PNGS = [image(5, form="PNG"), image(6, mode="P", form="PNG"), image(7, mode="RGBA", form="PNG")]
IMAGES = (
    mutated(_PHOTOS + _PNGS)
    | st.builds(
        lambda parts, photo: b"\xff\xd8" + b"".join(parts) + photo[2:],
        st.lists(_SEGMENTS | _FRAMES, max_size=4),
        st.sampled_from(_PHOTOS),
    )
    | st.lists(_SEGMENTS | _FRAMES, max_size=6).map(lambda parts: b"\xff\xd8" + b"".join(parts))
    | st.builds(
        png,
        st.sampled_from([0, 1, 24, 5000, 1 << 30, (1 << 31) - 1]),
        st.sampled_from([0, 1, 16, 5000, 1 << 30]),
        st.sampled_from([zlib.compress(bytes(2000)), b"", b"\x78"]),
        st.builds(
            chunk,
            st.sampled_from([b"tEXt", b"zTXt", b"iCCP", b"PLTE", b"acTL", b"IDAT", b"eXIf"]),
            st.binary(max_size=30),
            st.none() | st.sampled_from(NUMBERS),
        ),
        colour=st.sampled_from([0, 2, 3, 4, 6, 7]),
    )
)
