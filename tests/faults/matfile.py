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
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
BYTES = 9


def element(kind: int, data: bytes) -> bytes:
    """A data element, padded."""
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def compressed(packed: bytes) -> bytes:
    """A compressed data element, which is not padded."""
    return struct.pack("<II", COMPRESSED, len(packed)) + packed


def zeros(nbytes: int) -> bytes:
    """A file whose `synsets` are an array of so many zeros, whole MiB of them."""
    front = element(UINT32, struct.pack("<II", BYTES, 0)) + element(INT32, struct.pack("<2i", nbytes, 1))
    front += element(INT8, b"synsets") + struct.pack("<II", 2, nbytes)
    deflate = zlib.compressobj(1)
    pieces = [
        deflate.compress(struct.pack("<II", MATRIX, len(front) + nbytes) + front),
        *(deflate.compress(bytes(1 << 20)) for _ in range(nbytes >> 20)),
        deflate.flush(),
    ]
    return HEADER + compressed(b"".join(pieces))


def meta_mat() -> bytes:
    """A small devkit as MATLAB writes it, compressed: two classes below a synset."""
    rows = np.empty((3, 1), dtype=[(field, object) for field in _FIELDS])
    for number, children in enumerate(([], [], [1, 2])):
        wnid = f"n{number + 1:08}"
        rows[number, 0] = (number + 1, wnid, "thing", "", len(children), np.array(children, np.uint16), 0, 1)
    file = io.BytesIO()
    scipy.io.savemat(file, {"synsets": rows}, do_compression=True)
    return file.getvalue()


_FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images")
