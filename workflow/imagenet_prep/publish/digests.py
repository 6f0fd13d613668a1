"""The checksums of a file that stores keep of what they hold, all taken in one pass."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

# Files of two parts or more go to S3 in parts of this size. A file may have 10000: enough for all images in one shard.
PART = 16 << 20
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Digests:
    """A file's content, in checksums.

    Attributes:
        nbytes: its size.
        sha256: in hexadecimal, as in ``SHA256SUMS``.
        md5: in hexadecimal.
        crc32c: in hexadecimal, 8 digits.
        etag: what S3 calls it without the quotes: the MD5 of a small file; else the MD5 of its parts' MD5s, a minus
            sign, and how many parts there are.
    """

    nbytes: int
    sha256: str
    md5: str
    crc32c: str
    etag: str


def digest(path: str | os.PathLike[str]) -> Digests:
    """Read a file once."""
    import crc32c  # takes as long to import as all that a start of snakemake needs of this library

    sha256, md5, crc, nbytes = hashlib.sha256(), _md5(), 0, 0
    part, parts = _md5(), b""
    with open(path, "rb") as file:
        in_parts = os.fstat(file.fileno()).st_size >= 2 * PART  # as s3fs decides it
        while block := file.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            crc = crc32c.crc32c(block, crc)
            nbytes += len(block)
            if in_parts:
                part.update(block)
                if nbytes % PART == 0:
                    parts, part = parts + part.digest(), _md5()
    if in_parts and nbytes % PART:
        parts += part.digest()
    etag = f"{_md5(parts).hexdigest()}-{-(-nbytes // PART)}" if in_parts else md5.hexdigest()
    return Digests(nbytes, sha256.hexdigest(), md5.hexdigest(), f"{crc:08x}", etag)


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)
