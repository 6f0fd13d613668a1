"""Valid files changed somewhere, as damage and enemies do: a strategy of hypothesis."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

NUMBERS = [0, 1, 2, 127, 128, 255, 256, 32767, 65535, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


@st.composite
def mutated(draw: st.DrawFn, bases: list[bytes], most: int = 4) -> bytes:
    """One of the files with up to so many pieces overwritten, taken out, doubled or put in, and perhaps cut off."""
    content = bytearray(draw(st.sampled_from(bases)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, most]))):
        start = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 16) | st.just(512))
        piece = draw(
            st.binary(min_size=1, max_size=8)
            | st.sampled_from(NUMBERS).map(lambda number: struct.pack("<I", number))
            | st.sampled_from(NUMBERS).map(lambda number: struct.pack(">I", number))
            | st.sampled_from([bytes(512), b"\xff" * 12, b"\0\0"])
        )
        how = draw(st.sampled_from(["overwrite", "take out", "double", "put in"]))
        if how == "overwrite":
            content[start : start + len(piece)] = piece
        elif how == "take out":
            del content[start : start + length]
        else:
            content[start:start] = content[start : start + length] if how == "double" else piece
    is_cut = draw(st.integers(0, 5)) == 5
    return bytes(content[: draw(st.integers(0, len(content)))] if is_cut else content)
