"""Packed archives: what has to be packed, where that goes, and whether it is still of what lies there.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.dataset import Dataset, Labels
from imagenet_prep.datasets.names import (
    MAPPING,
    MIXED,
    SOLUTION,
    VAL_OF_KAGGLE,
    has_folders_of_splits,
    is_of,
    part_of,
)
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tar, zip_archive
from imagenet_prep.formats.file_kind import GZIP_MAGIC

FOLDER = "packed"
"""Where packed archives lie, below `output_dir`."""

META = "data/meta.mat"
"""The file by which a devkit is known."""

_LOOKED_AT = 50  # members at the beginning of an archive
_LOOKED_INTO = 64 << 20  # bytes

Note = list[dict[str, Any]]
"""Of each file that an archive was packed of: `path`, and `stat`, its size in bytes and its time (ns since 1970)."""


def place_of(output_dir: Path, file: str) -> Path:
    """Where an archive is packed to."""
    return output_dir / FOLDER / file


def parts_of(source: Path, name: str, dataset: Dataset) -> list[Path]:
    """The files that have to be packed of what stands in for an archive; none where it can be read as it is.

    Args:
        source: the file or folder.
        name: the archive's, in the configuration.
        dataset: that it is of.
    """
    has_images = name in dataset.of_archive
    if source.name == SOLUTION:
        return [source, source.parent / VAL_OF_KAGGLE]
    if name == dataset.devkit and (labels := labels_of(source, dataset)):
        return labels
    if source.is_dir():
        return parts_in(source, sorted(os.listdir(source)), name, dataset) if has_images else []
    if is_gzip(source):
        return [source] if has_images or is_mixed(source) else []
    if zip_archive.is_zip(source):
        wanted = is_of(name, dataset)
        deflated = (it.method != zip_archive.STORED for it in zip_archive.walk(source) if wanted(it.name))
        return [source] if not has_images or next(deflated, False) else []
    return [source] if not has_images and is_mixed(source) else []


def labels_of(source: Path, dataset: Dataset) -> list[Path]:
    """The files, or the folder, by which the classes are known where something else stands in for the devkit."""
    if source.name == MAPPING:
        return [it for it in (source, source.with_name(SOLUTION)) if it.is_file()]
    if source.is_dir() and not os.path.isfile(source / META):
        labelled = next(it for it in dataset.splits.values() if it.labels is Labels.GROUND_TRUTH)
        return parts_in(source, sorted(os.listdir(source)), labelled.archive, dataset) or [source]
    return []


def parts_in(folder: Path, names: Sequence[str], name: str, dataset: Dataset) -> list[Path]:
    """Likewise, of the files of these names in a folder."""
    wanted = part_of(dataset.of_archive[name])
    return [folder / file for file in names if wanted.fullmatch(file) and not file.endswith(".tar")]


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == GZIP_MAGIC
    except OSError:
        return False


def is_mixed(path: Path) -> bool:
    """Whether a tar, perhaps compressed, holds more than one archive does."""
    names = first_members(path)
    return any(MIXED in name for name in names) or has_folders_of_splits(path.name, names)


def first_members(path: Path) -> list[str]:
    """The names of the first members of a tar, perhaps compressed, or of a zip; none where it is neither."""
    found: list[str] = []
    with contextlib.suppress(
        PrepError, OSError
    ):  # what is no archive is nobody's; a damaged one is told when it is read
        look_into(path, found)
    return found


def look_into(path: Path, found: list[str]) -> None:
    """Note the names of the first members in `found`.

    Raises:
        PrepError: it is no tar and no zip, or damaged where these are.
    """
    if zip_archive.is_zip(path):
        found += [it.name for it in islice(zip_archive.walk(path), _LOOKED_AT)]
        return
    for member in islice(tar.members(path), _LOOKED_AT):
        found.append(member.name)
        if member.offset + member.nbytes > _LOOKED_INTO:
            break


def note_of(parts: Sequence[Path]) -> Note:
    """The note of files that are to be packed, as they are now."""
    return [{"path": os.path.abspath(it), "stat": [it.stat().st_size, it.stat().st_mtime_ns]} for it in parts]


def write_note(output: Path, note: Note) -> None:
    """Note of what an archive is packed, beside it."""
    atomic.write_json(_note(output), note)


def is_current(output: Path) -> bool:
    """Whether an archive is packed of what lies there now; files that are there no more count as they were."""
    try:
        note: list[Mapping[str, Any]] = json.loads(_note(output).read_text(encoding="utf-8"))
        there = [(it, Path(it["path"]).stat()) for it in note if os.path.exists(it["path"])]
        return all(it["stat"] == [status.st_size, status.st_mtime_ns] for it, status in there)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def remove_all(output_dir: Path) -> None:
    """Take away all packed archives, and nothing else that lies beside them."""
    for note in sorted((output_dir / FOLDER).glob("*.json")):
        for path in (note.with_suffix(""), note):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not there, or something else is in it
        (output_dir / FOLDER).rmdir()


def _note(output: Path) -> Path:
    return output.with_name(f"{output.name}.json")
