"""The list of the checksums of all that is published, as `sha256sum` reads it."""

from __future__ import annotations

from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.errors import PrepError

SUMS = "SHA256SUMS"
"""Its name in the output folder."""


def read_sums(output_dir: Path) -> dict[str, str]:
    """The SHA-256 that the list has, by path below the output folder; none where it is not there.

    Raises:
        PrepError: it is no list of checksums.
    """
    path = output_dir / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except UnicodeDecodeError as error:
        mend = commands.remove(path, then=commands.snakemake("audit"))
        raise PrepError(path, "it is no list of checksums", f"To mend it: {mend}") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
