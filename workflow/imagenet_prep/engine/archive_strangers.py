"""What lies among the archives and is nothing that can be used: what it is, and what makes something of it.

Without such a line somebody is told that an archive is missing who sees it lie there.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.datasets.names import CLASS_FOLDER, CLASS_TAR, part_of, split_of
from imagenet_prep.engine import packed
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import file_kind
from imagenet_prep.formats.tree import Walk, is_passed_over

_ARCHIVE = re.compile(r"\.(?:tar|t?gz|t?bz2|t?xz|t?zst|lz4|Z|zip|7z|rar|cpio)$", re.IGNORECASE)
_OTHER_ENDING = re.compile(r"\.jpe?g$", re.IGNORECASE)
_TOLD = 5  # archives
_SHOWN = 3  # names
_UNPACK = "Unpack it: what is in it is used where it lies then"


def told(
    folders: Iterable[tuple[Path, Sequence[Path]]],
    files: Iterable[tuple[Path, int]],
    known: Collection[Path],
    dataset: Dataset,
) -> Iterator[tuple[str | None, Path, str]]:
    """The archives and class folders of which nothing is known.

    Yields for each the archive that it may be, if that is clear, its path, and a line that begins with that.

    Args:
        folders: that were looked into, with the folders in them.
        files: in them, with their sizes.
        known: files and folders that are something.
        dataset: what they could be of.
    """
    official = {archive.file for archive in dataset.archives.values()}
    parts = [CLASS_TAR, *map(part_of, dataset.splits.values())]
    strange = (
        (path, what)
        for path, size in files
        if size and path not in known and path.name not in official and _ARCHIVE.search(path.name)
        if not any(it.fullmatch(path.name) for it in parts) and (what := _what(path))
    )
    for path, what in islice(strange, _TOLD):
        yield None, path, f"{path}: {what}"
    for folder, inside in folders:
        if folder not in known and (found := _of_class_folders(folder, inside, dataset)):
            yield found[0], folder, f"{folder}: {found[1]}"


def _what(path: Path) -> str | None:
    """What it is and what to do; None where it is no archive at all."""
    try:
        with open(path, "rb") as file:
            kind = file_kind.kind_of(file.read(file_kind.PEEK))
    except OSError:
        return None
    if kind is None or not kind.packed:
        return None
    if kind not in (file_kind.TAR, file_kind.GZIP, file_kind.ZIP):
        unpack = f"Unpack it: `{kind.unpacker} {shlex.quote(os.path.abspath(path))}`" if kind.unpacker else _UNPACK
        return f"it is {kind.name}, which is not read here. {unpack}"
    names: list[str] = []
    try:
        packed.look_into(path, names)
    except PrepError as error:
        if kind != file_kind.GZIP or names:
            member = f"member {error.member!r}: " if error.member else ""
            return f"it cannot be used ({member}{error.problem}). {error.remedy}"
    shown = ", ".join(names[:_SHOWN]) or "no file that is known"
    return f"nothing of the data set is known by the names in it ({shown} …), so that it is not used. {_UNPACK}"


def _of_class_folders(folder: Path, inside: Sequence[Path], dataset: Dataset) -> tuple[str | None, str] | None:
    """What folders of classes are in which no file has the name of an image, and of which archive, if that is clear."""
    classes = [path for path in inside if CLASS_FOLDER.fullmatch(path.name)]
    first = next((name for path in classes[:_SHOWN] if (name := _first(path))), None)
    if first is None:
        return None
    what = f"it is not used: {len(classes)} folders of classes, in which no file has the name of an image"
    official = _OTHER_ENDING.sub(".JPEG", first.rpartition("/")[2])
    split = split_of(official, dataset, folder.name)
    if split is None:
        return None, f"{what} (the first is {first}). Give the images their official names"
    place = shlex.quote(os.path.abspath(folder))
    rename = f"find -L {place} -iname '*.jp*g' -exec sh -c 'for i; do mv -n \"$i\" \"${{i%.*}}.JPEG\"; done' - {{}} +"
    return split.archive, f"{what} (the first is {first}; names of images end in .JPEG). Rename them: `{rename}`"


def _first(folder: Path) -> str | None:
    try:
        return next((f"{folder.name}/{it}" for it in Walk(folder) if not is_passed_over(it)), None)
    except (PrepError, OSError):
        return None
