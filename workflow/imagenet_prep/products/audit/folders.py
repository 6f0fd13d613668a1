"""The audit of the ImageFolder trees: every file's name, length and bytes against the table of images."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from crc32c import crc32c

from imagenet_prep.products.audit.report import MOVE_AWAY, Check, Findings

COLUMNS = ["filename", "wnid", "index", "nbytes", "crc32c"]
FOUND = pa.schema([("path", pa.string()), ("nbytes", pa.int64()), ("crc32c", pa.uint32())])


def examine_folder(root: Path, folder: str) -> pa.Table:
    """Read every file of a folder, and of folders in it: path below `root`, length and CRC-32C (schema `FOUND`).

    A file costs one open, one read and one close where it is smaller than a megabyte.
    """
    columns: tuple[list[str], list[int], list[int]] = ([], [], [])
    buffer = bytearray(1 << 20)
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        for name, kind in _entries(root, at):
            if kind == "folder":
                waiting.append(name)
                continue
            nbytes, crc = _read(f"{root}/{name}", buffer) if kind == "file" else (0, 0)
            columns[0].append(name)
            columns[1].append(nbytes)
            columns[2].append(crc)
    return pa.table(dict(zip(FOUND.names, columns, strict=True)), schema=FOUND)


def _entries(root: Path, folder: str) -> list[tuple[str, str]]:
    """Path below `root` and kind (folder, file, other) of all that lies in a folder, or of what is none."""
    try:
        with os.scandir(root / folder) as entries:
            return [(f"{folder}/{entry.name}".removeprefix("/"), _kind(entry)) for entry in entries]
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        return [(folder, "file" if (root / folder).is_file() else "other")]


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file() else "other"


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


def folders_of(root: Path, split: str) -> list[str]:
    """What lies directly in a split's tree, to be examined one by one; "" for the flat test set."""
    if split == "test":
        return [""]
    return sorted(os.listdir(root)) if root.is_dir() else []


def expected_paths(images: pa.Table, split: str, val_dirs: str) -> pa.ChunkedArray:
    """Path below the tree's root of every image."""
    if split == "test":
        return images["filename"]
    folder = images["wnid"]
    if split == "validation" and val_dirs == "index":
        folder = pc.utf8_lpad(pc.cast(images["index"], pa.string()), 3, "0")
    return pc.binary_join_element_wise(folder, images["filename"], "/")


def compare_tree(
    check: Check,
    findings: Findings,
    found: pa.Table,
    images: pa.Table,
    root: Path,
    split: str,
    val_dirs: str,
    mend: str,
) -> None:
    """Hold a tree, or a folder of it, against its images; note in `findings` what is missing, too much or changed.

    Args:
        check: gets the figures.
        findings: gets what is wrong.
        found: schema `FOUND`.
        images: with the columns `COLUMNS`.
        root: of the tree.
        split: whose tree it is.
        val_dirs: "wnid" or "index", how folders of the validation set are called.
        mend: the command that makes the tree.
    """
    paths = expected_paths(images, split, val_dirs)
    figures = {"files": len(found), "images": len(images), "bytes": pc.sum(found["nbytes"]).as_py() or 0}
    check.figures |= {name: check.figures.get(name, 0) + figure for name, figure in figures.items()}
    missing = paths.filter(pc.invert(pc.is_in(paths, value_set=found["path"].combine_chunks()))).to_pylist()
    findings.add("it is missing", [f"{root}/{path}" for path in missing], mend)
    position = pc.index_in(found["path"], value_set=paths.combine_chunks())
    extra = found["path"].filter(pc.is_null(position)).to_pylist()
    findings.add("no image of the archives in use", [f"{root}/{path}" for path in extra], MOVE_AWAY)
    known = pc.is_valid(position)
    wanted = images.select(["nbytes", "crc32c"]).take(position.filter(known))
    found = found.filter(known)
    same = pc.and_(pc.equal(found["nbytes"], wanted["nbytes"]), pc.equal(found["crc32c"], wanted["crc32c"]))
    changed = found["path"].filter(pc.invert(same)).to_pylist()
    what = "its bytes are not those of the archive"
    findings.add(what, [f"{root}/{path}" for path in changed], f"rm {{}} && {mend}")
