"""MATLAB 5 files made by hand, for what scipy would not write (MATLAB's "MAT-File Format", chapter 1)."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import scipy.io

META = "kit/data/meta.mat"
TRUTH = "kit/data/ILSVRC2012_validation_ground_truth.txt"
HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
INT8, INT32, UINT32, DOUBLE, MATRIX, COMPRESSED = 1, 5, 6, 9, 14, 15
CELL, NUMBERS, BYTES = 1, 6, 9


def element(kind: int, data: bytes, nbytes: int | None = None) -> bytes:
    """A data element, padded; its length may be a lie."""
    return struct.pack("<II", kind, len(data) if nbytes is None else nbytes) + data + bytes(-len(data) % 8)


def head(kind: int, dimensions: tuple[int, ...], name: bytes = b"") -> bytes:
    """What every array begins with."""
    return (
        element(UINT32, struct.pack("<II", kind, 0))
        + element(INT32, struct.pack(f"<{len(dimensions)}i", *dimensions))
        + element(INT8, name)
    )


def nested_cells(depth: int) -> bytes:
    """A cell in a cell, and so on."""
    inner = element(MATRIX, head(NUMBERS, (1, 1)) + element(DOUBLE, struct.pack("<d", 1.0)))
    outer, size = [], len(inner)
    for level in range(depth):
        front = head(CELL, (1, 1), b"synsets" if level == depth - 1 else b"")
        size += len(front)
        outer.append(struct.pack("<II", MATRIX, size) + front)
        size += 8
    return HEADER + b"".join(reversed(outer)) + inner


def numeric(
    dimensions: tuple[int, int], nbytes: int | None = None, *, kind: int = 2, compressed: bool = False
) -> bytes:
    """`synsets` as an array of zeros, as many bytes as its dimensions say or others, of any type."""
    nbytes = dimensions[0] * dimensions[1] if nbytes is None else nbytes
    front = head(BYTES, dimensions, b"synsets") + struct.pack("<II", kind, nbytes)
    front = struct.pack("<II", MATRIX, len(front) + nbytes) + front
    if not compressed:
        return HEADER + front + bytes(nbytes)
    deflate = zlib.compressobj(1)
    pieces = [
        deflate.compress(front),
        *(deflate.compress(bytes(1 << 20)) for _ in range(nbytes >> 20)),
        deflate.flush(),
    ]
    packed = b"".join(pieces)
    return HEADER + struct.pack("<II", COMPRESSED, len(packed)) + packed


def meta_mat() -> bytes:
    """A small devkit as scipy writes it: two classes below a synset."""
    rows = np.empty((3, 1), dtype=[(field, object) for field in _FIELDS])
    for number, children in enumerate(([], [], [1, 2])):
        wnid = f"n{number + 1:08}"
        rows[number, 0] = (number + 1, wnid, "thing", "", len(children), np.array(children, np.uint16), 0, 1)
    file = io.BytesIO()
    scipy.io.savemat(file, {"synsets": rows})
    return file.getvalue()


def deflated(file: bytes) -> bytes:
    """The same with all its arrays in one compressed element."""
    packed = zlib.compress(file[128:])
    return file[:128] + struct.pack("<II", COMPRESSED, len(packed)) + packed


_FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images")
