"""The class folders as the audit reads them: a sample is a file, and its folder is named after its class.

Shares no code with what writes the folders.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from crc32c import crc32c

from imagenet_prep.engine.image_reader import ImageReader
from imagenet_prep.errors import AGAIN, PrepError
from imagenet_prep.products.audit.readings import CLASS_INDEX, CRC32C, FILENAME, LENGTH, PATH, WNID, Reading, schema_of

_NO_CLASS = -1


def class_folders(root: Path, images: ImageReader, called_by: str | None) -> list[Path]:
    """The class folders that a tree should have, one for each class with images; of a flat tree, the tree."""
    if called_by is None:
        return [root]
    names: set[str] = set()
    for part in images.parts([called_by]):
        names.update(_names(pc.unique(part[called_by])).to_pylist())
    return [root / name for name in sorted(names)]


def paths_of(root: Path, images: pa.Table, called_by: str | None) -> list[str]:
    """The path of each image's file."""
    names = images[FILENAME].to_pylist()
    if called_by is None:
        return [f"{root}/{name}" for name in names]
    return [
        f"{root}/{folder}/{name}" for folder, name in zip(_names(images[called_by]).to_pylist(), names, strict=True)
    ]


def read_folder(root: Path, folder: Path, called_by: str | None) -> Reading:
    """Read every file of a folder, and of folders in it.

    A file costs one open, one read and one close where it is smaller than a megabyte.

    Args:
        root: the tree.
        folder: the class folder, or the tree itself.
        called_by: "wnid" or "class_index": what folders are named after; None for a flat tree.

    Returns:
        A row a file, with its path, file name, length in bytes, CRC-32C and class.
    """
    by_index = called_by == CLASS_INDEX
    schema = schema_of([PATH, FILENAME, LENGTH, CRC32C, CLASS_INDEX if by_index else WNID])
    rows: list[tuple[str, str, int, int, str | int]] = []
    problems = []
    buffer = bytearray(1 << 20)
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        try:
            at, entries = _entries(at)
        except OSError as error:
            problems.append(_unreadable(str(at), error))
            continue
        inside = "" if at == root else at.relative_to(root).as_posix()
        of_class = _index(inside) if by_index else inside
        for name, kind in entries:
            path = f"{at}/{name}"
            if kind == "folder":
                waiting.append(at / name)
                continue
            try:
                nbytes, crc = _read(path, buffer) if kind == "file" else (0, 0)
            except OSError as error:
                problems.append(_unreadable(path, error))
                continue
            rows.append((path, name, nbytes, crc, of_class))
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return Reading(pa.table(list(columns), schema=schema), problems=tuple(problems))


def _names(classes: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """What the folders of classes are called: a WNID by itself, an index by three digits."""
    return classes if pa.types.is_string(classes.type) else pc.utf8_lpad(pc.cast(classes, pa.string()), 3, "0")


def _index(folder: str) -> int:
    """The class that the digits of a folder's name stand for: three, or more only where there have to be."""
    return int(folder) if re.fullmatch(r"[0-9]{3}|[1-9][0-9]{3,8}", folder) else _NO_CLASS


def _unreadable(path: str, error: OSError) -> PrepError:
    return PrepError(path, f"it cannot be read ({error.strerror})", AGAIN)


def _entries(folder: Path) -> tuple[Path, list[tuple[str, str]]]:
    """A folder, and name and kind (folder, file, other) of each entry; a path that is no folder is one itself."""
    try:
        with os.scandir(folder) as entries:
            return folder, [(entry.name, _kind(entry)) for entry in entries]
    except FileNotFoundError:
        return folder, []
    except NotADirectoryError:
        return folder.parent, [(folder.name, "file" if folder.is_file() else "other")]


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_file():
        return "file"
    return "folder" if entry.is_dir(follow_symlinks=False) else "other"


def _read(path: str, buffer: bytearray) -> tuple[int, int]:
    """Length and CRC-32C of a file."""
    nbytes = crc = 0
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while True:
            count = os.readv(descriptor, [buffer])
            crc = crc32c(memoryview(buffer)[:count], crc)
            nbytes += count
            if count < len(buffer):
                return nbytes, crc
    finally:
        os.close(descriptor)
