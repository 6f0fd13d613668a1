"""Whether an archive is the right one, by its kind, size, checksum and members; and the receipt that says so."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.dataset import Archive
from imagenet_prep.download.identity import Wanted
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_remedies import (
    ANOTHER,
    DOWNLOAD_AGAIN,
    DOWNLOAD_ON,
    made_by_hand,
    unless_made_by_hand,
)
from imagenet_prep.engine.table_steps import SCAN_VERSION
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import files, tar, tar_header, zip_archive
from imagenet_prep.formats.file_kind import GZIP, PEEK, WEB_PAGE, in_place_of_a_tar, kind_of
from imagenet_prep.formats.passed_over import PassedOver
from imagenet_prep.formats.remedies import NO_ARCHIVE
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar_end import END
from imagenet_prep.progress import Progress

PUT_BACK = "Put it back, or run the same command again to have it downloaded"

UNVERIFIED = "whether its bytes are those of the official archive, since no checksum of this form is published"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Expected(Wanted):
    """What the configuration says of an archive.

    Attributes:
        unpacked_sha256: SHA-256 of the archive less its compression, which is accepted too; None where it is not known.
        is_stood_in_for: whether something in another form stands in for it, of which nothing is known.
    """

    unpacked_sha256: str | None = None
    is_stood_in_for: bool = False


def verify(name: str, path: Path, expected: Expected, below: str = "") -> dict[str, Any]:
    """Read an archive for its checksum, then, if it is a tar, again for its members; return its receipt.

    The second reading, for which a tar may be compressed, comes only where size and checksum are right. A folder that
    an archive was unpacked into is read once.

    Args:
        name: the archive's, in the configuration.
        path: the archive, or the link to it.
        expected: what the configuration says of it.
        below: of a folder in its place, the path below `archives_dir`.

    Raises:
        PrepError: not there, of another size or checksum than expected, cut off, or holding what no archive may.
    """
    introduce(path)
    if archive_paths.is_folder(path):
        return verify_folder(name, path, below)
    if expected.unpacked_sha256 and _is_plain_tar(path):
        log.info("%s is not compressed, as browsers leave it: compared with the content of the official one", path)
        expected = Expected("sha256", expected.unpacked_sha256)
    expect_size(name, path, expected)
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        progress = Progress(f"verifying {path.name}", size)
        with Stream(file, expected.algorithm, progress.reach) as stream:
            stream.drain()
            checksum = stream.hexdigest()
    expect_checksum(name, path, expected, checksum)
    members, passed_over = None, PassedOver()
    if not path.name.endswith(".json"):
        with made_by_hand(expected.checksum is None):
            members = sum(1 for _ in tar.read_files(path, passed_over=passed_over))
    return receipt(name, path, expected, size, checksum, members, passed_over)


def glance(archive: Archive, path: Path, file: str, expected: Expected) -> None:
    """Refuse an archive of which size or first bytes tell that it is not the right one, without reading more of it.

    Args:
        archive: as it is declared.
        path: where it lies.
        file: the name that it is to have there.
        expected: what the configuration says of it.

    Raises:
        PrepError: it is no file, has another size than expected, or is nothing of its kind.
        OSError: it cannot be read.
    """
    expect_there(path)
    if archive_paths.is_folder(path) or (expected.is_stood_in_for and zip_archive.is_zip(path)):
        return  # what it holds is known when it is read
    with open(path, "rb") as opened:
        beginning = opened.read(PEEK)
    kind, is_json = kind_of(beginning), file.endswith(".json")
    if is_json and (kind or not beginning):
        raise PrepError(path, f"this is no JSON but {kind.name if kind else 'empty (0 bytes)'}", NO_ARCHIVE)
    may_be_compressed = archive.layout is None and kind == GZIP
    is_tar = may_be_compressed or tar_header.begins(beginning) or (beginning and not any(beginning))
    if not (is_json or is_tar):
        with made_by_hand(expected.checksum is None):
            problem, remedy = in_place_of_a_tar(beginning, os.fspath(path), nested=False)
            raise PrepError(path, problem, remedy, offset=0)
    if not (expected.unpacked_sha256 and tar_header.begins(beginning)):
        expect_size(archive.name, path, expected)


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
    """Log which file is used for an archive, by the link to it, where that has another name than the archive."""
    file = os.path.realpath(path)
    if os.path.basename(file) != path.name:
        log.info("%s is the file %s", path.name, file)


def _is_plain_tar(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return tar_header.begins(file.read(tar_header.BLOCK))


def expect_there(path: Path) -> None:
    """Refuse an archive that is not there, or is no file."""
    if not path.exists():
        raise PrepError(os.path.realpath(path), "the archive is not there", PUT_BACK)
    if not path.is_file() and not archive_paths.is_folder(path):
        raise PrepError(path, "this is no file", DOWNLOAD_AGAIN)


def expected_of(config: Mapping[str, Any], name: str, expected: Expected) -> Expected:
    """What can be expected of an archive where it lies now: nothing, where something in another form stands in for it.

    That is what lies under another name, and was packed, or has another size than the archive.
    """
    path = archive_paths.archive_of(config, name)
    if not archive_paths.is_stand_in(config, name, path) or (path.is_file() and path.stat().st_size == expected.nbytes):
        return expected
    return Expected(expected.algorithm, is_stood_in_for=True)


def expect_size(name: str, path: Path, expected: Expected) -> None:
    """Refuse an archive, by its name in the configuration, that is not there, is no file, or of another size."""
    expect_there(path)
    size = path.stat().st_size
    if expected.nbytes is not None and size != expected.nbytes:
        with open(path, "rb") as file:
            is_page = kind_of(file.read(PEEK)) == WEB_PAGE
            file.seek(max(0, size - len(END)))
            is_whole = size > expected.nbytes or file.read() == END
        kind, remedy = ("not the one expected", ANOTHER) if is_whole else ("cut off", DOWNLOAD_ON)
        if is_page:
            kind, remedy = "a web page", DOWNLOAD_AGAIN
        problem = f"it has {size} bytes where {expected.nbytes} are expected: it is {kind}"
        raise PrepError(os.path.realpath(path), problem, unless_made_by_hand(name, remedy))


def expect_checksum(name: str, path: Path, expected: Expected, checksum: str) -> None:
    """Refuse an archive, by its name in the configuration, of another checksum than expected."""
    if expected.checksum is not None and checksum != expected.checksum.lower():
        problem = f"its {expected.algorithm} is {checksum} where {expected.checksum} is expected"
        problem += ": it is damaged or another file"
        raise PrepError(os.path.realpath(path), problem, unless_made_by_hand(name))


def receipt(
    name: str,
    path: Path,
    expected: Expected,
    size: int,
    checksum: str,
    members: int | None,
    passed_over: PassedOver | None = None,
) -> dict[str, Any]:
    """What is written down of an archive that is right; of members that were passed over it is logged, too.

    `members` are its images or files, None where it is no tar.
    """
    if passed_over and passed_over.count:
        log.info("%s: %s", path, passed_over)
    return {
        "name": name,
        "file": path.name,
        "bytes": size,
        expected.algorithm: checksum,
        "expected": expected.checksum,
        "members": members,
        **({"passed_over": passed_over.count} if passed_over and passed_over.count else {}),
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
