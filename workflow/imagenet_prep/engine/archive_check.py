"""The official archives: what they are, and whether they are the right ones."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep.download.identity import Wanted
from imagenet_prep.engine import archive_paths, archive_search, packed
from imagenet_prep.engine.table_steps import SCAN_VERSION
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import files, tar, tar_header
from imagenet_prep.formats.stream import Stream
from imagenet_prep.progress import Progress

PUT_BACK = "Put it back, or run the same command again to have it downloaded"
DOWNLOAD_AGAIN = "Delete it and run again to have it downloaded, or get the right one and put it in its place"

UNVERIFIED = "whether its bytes are those of the official archive, since no checksum of this form is published"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Expected(Wanted):
    """What the configuration says of an archive.

    Attributes:
        unpacked_sha256: SHA-256 of the archive less its compression, which is accepted too; None where it is not known.
    """

    unpacked_sha256: str | None = None


def verify(name: str, path: Path, expected: Expected, below: str = "") -> dict[str, Any]:
    """Read an archive for its checksum, then, if it is a tar, again for its members; return its receipt.

    The second reading, for which a tar may be compressed, comes only where size and checksum are right. A folder that
    an archive was unpacked into is read once; `below` is its path below `archives_dir`.

    Raises:
        PrepError: not there, of another size or checksum than expected, cut off, or holding what no archive may.
    """
    introduce(path)
    if archive_paths.is_folder(path):
        return verify_folder(name, path, below)
    if expected.unpacked_sha256 and _is_plain_tar(path):
        log.info("%s is not compressed, as browsers leave it: compared with the content of the official one", path)
        expected = Expected("sha256", expected.unpacked_sha256)
    expect_there(path)
    expected = expected_of(path, expected)
    expect_size(path, expected)
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"verifying {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            stream.drain()
            checksum = stream.hexdigest()
    expect_checksum(path, expected, checksum)
    members = None
    if not path.name.endswith(".json"):
        members = sum(1 for _ in tar.read_files(path))
    return receipt(name, path, expected, size, checksum, members)


def verify_folder(name: str, path: Path, below: str) -> dict[str, Any]:
    """Read a folder that an archive without images was unpacked into; return its receipt.

    Raises:
        PrepError: it holds a file that cannot be read.
    """
    digest, nbytes, members = hashlib.sha256(), 0, 0
    for member, content in files.read_files(archive_paths.target_of(path)):
        digest.update(f"{member.name}\n{hashlib.sha256(content).hexdigest()}\n".encode())
        nbytes += len(content)
        members += 1
    return folder_receipt(name, path, below, digest.hexdigest(), nbytes, members)


def introduce(path: Path) -> None:
    """Log it if the archive stands under another name than its own."""
    if said := archive_search.introduction(path):
        log.info("%s", said)


def _is_plain_tar(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        header = file.read(tar_header.BLOCK)
    return len(header) == tar_header.BLOCK and tar_header.checksum_holds(header)


def expect_there(path: Path) -> None:
    """Refuse an archive that is not there, or is no file."""
    if not path.exists():
        raise PrepError(os.path.realpath(path), "the archive is not there", PUT_BACK)
    if not path.is_file() and not archive_paths.is_folder(path):
        raise PrepError(path, "this is no file", DOWNLOAD_AGAIN)


def expected_of(path: Path, expected: Expected) -> Expected:
    """What can be expected of an archive: nothing, where one of another form stands in for it, by another size."""
    if not stands_in(path) or path.stat().st_size == expected.nbytes:
        return expected
    return Expected(expected.algorithm)


def stands_in(path: Path) -> bool:
    """Whether a link leads to a file that was packed, or has another name than the archive."""
    if not path.is_symlink():
        return False
    target = archive_paths.target_of(path)
    return target.name != path.name or target.parent.name == packed.FOLDER


def expect_size(path: Path, expected: Expected) -> None:
    """Refuse an archive that is not there, is no file, or has another size than expected."""
    expect_there(path)
    size = path.stat().st_size
    if expected.nbytes is not None and size != expected.nbytes:
        kind = "cut off" if size < expected.nbytes else "not the one expected"
        problem = f"it has {size} bytes where {expected.nbytes} are expected: it is {kind}"
        raise PrepError(os.path.realpath(path), problem, DOWNLOAD_AGAIN)


def expect_checksum(path: Path, expected: Expected, checksum: str) -> None:
    """Refuse an archive of another checksum than expected."""
    if expected.checksum is not None and checksum != expected.checksum.lower():
        problem = f"its {expected.algorithm} is {checksum} where {expected.checksum} is expected"
        raise PrepError(os.path.realpath(path), f"{problem}: it is damaged or another file", DOWNLOAD_AGAIN)


def receipt(name: str, path: Path, expected: Expected, size: int, checksum: str, members: int | None) -> dict[str, Any]:
    """What is written down of an archive that is right: `members` are its images or files, None where it is no tar."""
    return {
        "name": name,
        "file": path.name,
        "bytes": size,
        expected.algorithm: checksum,
        "expected": expected.checksum,
        "members": members,
        "format_version": SCAN_VERSION,
    }


def folder_receipt(
    name: str, path: Path, source: str, sha256: str, nbytes: int, members: int, **found: Any
) -> dict[str, Any]:
    """What is written down of what stands in for an archive, where no checksum of all is published.

    Args:
        name: the archive's, in the configuration.
        path: the link to what stands in for it.
        source: where that leads, below `archives_dir`.
        sha256: of a list of all its files with a checksum each.
        nbytes: of all files.
        members: how many there are.
        found: what else there is to say.
    """
    return {
        **receipt(name, path, Expected("sha256"), nbytes, sha256, members),
        **found,
        "source": source,
        "not_verified": UNVERIFIED,
    }


def content(receipt: Mapping[str, Any]) -> str:
    """What an archive holds, in one line of text: its checksum and size."""
    algorithm = "sha256" if "sha256" in receipt else "md5"
    return f"{algorithm} {receipt[algorithm]}, {receipt['bytes']} bytes"
