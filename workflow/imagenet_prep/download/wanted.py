"""What is known of a file before it is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """What is known beforehand of a file.

    Attributes:
        algorithm: "md5" or "sha256".
        checksum: in hexadecimal; None where it is not known.
        nbytes: the size; None where it is not known.
    """

    algorithm: str = "md5"
    checksum: str | None = None
    nbytes: int | None = None
