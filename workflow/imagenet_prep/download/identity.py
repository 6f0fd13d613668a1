"""Which file is meant: what is known of it beforehand, and which version a server has, as far as its headers tell."""

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


@dataclass(frozen=True)
class Identity:
    """What RFC 9110 calls the validators of a representation.

    Attributes:
        length: its size in bytes; None where the server does not tell.
        etag: as sent, quotes and all.
        last_modified: as sent.
    """

    length: int | None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether a changed version would be noticed by more than its length."""
        return self.etag is not None or self.last_modified is not None

    @property
    def if_range(self) -> str | None:
        """The value of the header If-Range, which takes no weak ETag (RFC 9110, section 13.1.5)."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def difference(self, other: Identity) -> str | None:
        """In what `other`, which is there now, differs from this one; None where nothing tells them apart."""
        if other.length is not None and other.length != self.length:
            return f"it has {other.length} bytes now, and had {self.length}"
        if (self.etag is None) != (other.etag is None):
            return "it has no ETag any more" if other.etag is None else "it has an ETag now, and had none"
        if self.etag != other.etag:
            return "it has another ETag now"
        if self.last_modified != other.last_modified:
            return "it has another time of modification now"
        return None

    def is_surely(self, other: Identity) -> bool:
        """Whether this is the same content, even from another server: the same strong ETag and the same length."""
        strong = self.etag is not None and not self.etag.startswith("W/")
        return strong and self.etag == other.etag and self.length == other.length
