"""The interface of a place to publish to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_prep.publish.address import Address
from imagenet_prep.publish.digests import Digests
from imagenet_prep.publish.store_errors import Damaged

Progress = Callable[[int], None]  # is given the number of bytes of a file that have been sent so far


@dataclass(frozen=True)
class Found:
    """A file in a store, as the store describes it.

    Attributes:
        nbytes: its size.
        checksums: what the store itself has computed of the bytes that it holds, under its own names.
    """

    nbytes: int
    checksums: Mapping[str, str] = field(default_factory=dict)


class Store(ABC):
    """A place that holds files, under names below its address; names can have slashes.

    All methods raise `Refused` or `Interrupted`; those of a folder raise `OSError`.
    """

    def __init__(self, address: Address) -> None:
        self.address = address

    @abstractmethod
    def files(self) -> dict[str, Found]:
        """All files; none where the place does not exist yet."""

    @abstractmethod
    def file(self, name: str) -> Found | None:
        """One file; None where it does not exist."""

    @abstractmethod
    def put(self, path: Path, name: str, progress: Progress) -> None:
        """Send a local file; a file with the same name is replaced."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The content of a small file."""

    @abstractmethod
    def sha256(self, name: str) -> str:
        """The SHA-256 of a file in hexadecimal, which is read for it."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""

    def expect_room(self, nbytes: int, files: int) -> None:  # noqa: B027 - most stores do not tell
        """Raise `PrepError` where there is too little space for so many bytes and files more."""

    def tidy(self, names: Iterable[str]) -> None:  # noqa: B027 - most stores keep no such things
        """Take away what earlier attempts to send these files left half-sent, where a store keeps such things."""

    def vouches(self, found: Found, digests: Digests) -> bool | None:
        """Whether the store's own checksums say that a file is the one with these digests; None: they do not tell."""
        return None

    def holds(self, name: str, found: Found, digests: Digests) -> bool:
        """Whether a file is the one with these digests; it is read where the store's checksums do not tell."""
        if found.nbytes != digests.nbytes:
            return False
        vouched = self.vouches(found, digests)
        try:
            return self.sha256(name) == digests.sha256 if vouched is None else vouched
        except Damaged:  # as the client finds that reads it
            return False
