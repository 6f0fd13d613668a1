"""Whether the headers of an archive tell the file names of its images where readers of its bytes look for them.

Right before an image lies the header of its member, whose first bytes are the file name; not where a folder stands
before it, or the name is in an extended header. Imports are light, since the Snakefile looks here at every start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Layout
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.receipts import ARCHIVES, STATE, load, names
from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import tar_header, zip_archive
from imagenet_prep.formats.tar_header import BLOCK

NOTES = "notes"
"""What the receipt of an archive's scan says besides; `verified/` has those that tell of something odd, too."""

ODD_HEADER = "odd_header"
"""Of these notes, the first member whose header does not begin with the file name; null where there is none."""

WITHOUT_HEADERS = "without_headers"
"""Of these notes, what the images lie in instead of a tar, for people; not there where they lie in one."""

OF_FOLDER, OF_ZIP = "its images are files in a folder", "its images lie in a zip archive"

_FOLDER, _EXTENDED = b"5", (b"L", b"x", b"g")


def odd_header(config: Mapping[str, Any], name: str) -> str | None:
    """The first member of an archive whose header does not begin with the file name; None where none is known.

    The scan of an archive tells; of one that was not scanned as it is now, the first image is looked at.

    Args:
        config: complete.
        name: the archive's, in the configuration.
    """
    archive = archive_paths.find(config, name)
    try:
        stat = archive_paths.stat(archive) if archive else None
    except OSError:  # whoever reads it says so
        return None
    known = noted(config, name, stat)
    if known is None and archive and stat:
        return _first(archive, *stat, dataset_of(config).archives[name].layout is Layout.CLASS_TARS)
    return known or None


def noted(config: Mapping[str, Any], name: str, stat: list[int] | None = None) -> str | None:
    """Likewise, of all of an archive's members, as its scan found; "" where it found none, None where nobody knows.

    Args:
        config: complete.
        name: the archive's.
        stat: its size and time; None where it is gone, or was just scanned.
    """
    notes = _notes(config, name, stat)
    return None if notes is None else str(notes[ODD_HEADER] or "")


def without_headers(config: Mapping[str, Any], name: str) -> str | None:
    """What the images lie in instead of a tar, for people; None where they lie in one, or nobody knows."""
    archive = archive_paths.find(config, name)
    if archive is None:
        return (_notes(config, name) or {}).get(WITHOUT_HEADERS)
    if archive.is_dir():
        return OF_FOLDER
    return OF_ZIP if zip_archive.is_zip(archive) else None


def _notes(config: Mapping[str, Any], name: str, stat: list[int] | None = None) -> Mapping[str, Any] | None:
    """What the scan of an archive of this size and time notes, or any scan of it; None where it notes nothing."""
    folder = Path(config["output_dir"], STATE, ARCHIVES)
    for receipt in [it for it in names(folder) if it.subject == name]:
        try:
            body = load(folder / str(receipt))
            if stat in (None, body["stat"]) and ODD_HEADER in body[NOTES]:
                notes: Mapping[str, Any] = body[NOTES]
                return notes
        except (PrepError, KeyError, TypeError):  # whoever needs more of it says so; an older version noted no headers
            continue
    return _told(config, name) if stat is None else None


def _told(config: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Likewise by `verified/`, which is there where a tree was copied without the receipts."""
    try:
        return {ODD_HEADER: None, **load(Path(config["output_dir"], "verified", f"{name}.json"))[NOTES]}
    except (PrepError, KeyError, TypeError):
        return None


def find_odd(archive: Path, filenames: Sequence[str], offsets: Sequence[int]) -> str | None:
    """Look at the header before each of these images; return the first file name that its header does not begin with.

    Raises:
        OSError: the archive is not there, or cannot be read.
    """
    with open(archive, "rb", buffering=0) as file, reading(archive):
        for filename, offset in zip(filenames, offsets, strict=True):
            wanted = filename.encode() + b"\0"
            if os.pread(file.fileno(), len(wanted), offset - BLOCK) != wanted:
                return filename
    return None


@cache
def _first(archive: Path, size: int, time: int, is_nested: bool) -> str | None:
    """The first image of an archive, if its header is odd; size and time are for the cache, where it is another now."""
    try:
        with open(archive, "rb", buffering=0) as file:
            found = _member(file.fileno(), 0)
            if found and is_nested:
                found = _member(file.fileno(), found[1])
    except OSError:
        return None
    if not found:
        return None
    (name, _, is_plain) = found
    return None if is_plain and "/" not in name else name


def _member(descriptor: int, at: int) -> tuple[str, int, bool] | None:
    """Name and offset of the first regular member from here on, and whether its header has the name; None without."""
    is_plain = True
    for _ in range(64):  # folders and extended headers before it; the scan tells what is wrong with more
        header = os.pread(descriptor, BLOCK, at)
        if len(header) < BLOCK or not tar_header.checksum_holds(header):
            return None
        kind = header[156:157]
        try:
            if kind in _EXTENDED:
                is_plain = False
                at += BLOCK + -(-tar_header.size(header) // BLOCK) * BLOCK
            elif kind == _FOLDER:
                is_plain = True
                at += BLOCK
            else:
                return tar_header.name(header), at + BLOCK, is_plain
        except ValueError:
            return None
    return None
