"""What is published: the files that the audit lists with their checksums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.checksums import SUMS, read_sums
from imagenet_prep.errors import PrepError
from imagenet_prep.publish.digests import Digests, digest


@dataclass(frozen=True)
class Item:
    """A file to publish.

    Attributes:
        name: its path below the output folder, and below the address.
        path: where it lies here.
        sha256: what the audit saw; None for the list of these itself.
        nbytes: its size.
    """

    name: str
    path: Path
    sha256: str | None
    nbytes: int

    def digest(self) -> Digests:
        """Its digests.

        Raises:
            PrepError: it is not what the audit saw.
        """
        digests = digest(self.path)
        if self.sha256 not in (None, digests.sha256):
            raise PrepError(
                self.path,
                "it has changed since the audit",
                f"To mend it: {commands.remove(self.path, then=commands.snakemake('publish'))}",
            )
        return digests


def items_of(output_dir: Path) -> Iterator[Item]:
    """What ``SHA256SUMS`` names, and that file itself.

    Raises:
        PrepError: one of them is not there, or it is no list of checksums.
    """
    for name, sha256 in [*read_sums(output_dir).items(), (SUMS, None)]:
        path = output_dir / name
        if not path.is_file():
            again = f"To have it again: {commands.snakemake('publish')}"
            raise PrepError(path, "it is not there, and the audit saw it", again)
        yield Item(name, path, sha256, path.stat().st_size)
