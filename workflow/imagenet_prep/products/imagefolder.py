"""The ImageFolder trees: every image a file in the folder of its class, byte for byte as in the archive.

A folder appears whole, by one rename, so that a killed job leaves none that looks finished. What was put into each is
written down first (the ledger, `state/made/`), so that a later run can take away its own files and no others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep.dataset.extraction import extract
from imagenet_prep.dataset.images import read_classes
from imagenet_prep.dataset.names import TREE_OF_SPLIT
from imagenet_prep.formats import parquet
from imagenet_prep.products.tree import Tree, path_of
from imagenet_prep.progress import Progress

COLUMNS = ["filename", "wnid", "index", "offset", "nbytes", "crc32c"]
_CUT_BY_CLASS = ("train", "validation")


def folder_of(row: dict[str, Any], split: str, val_dirs: str) -> str:
    """The folder of an image in its tree: its WNID, three digits of its index, or "" for the flat test set."""
    if split == "test":
        return ""
    if split == "validation" and val_dirs == "index":
        return f"{row['index']:03d}"
    return str(row["wnid"])


def folders_of(images: pa.Table, split: str, val_dirs: str) -> set[str]:
    """The folders of a batch of images, by their paths below the output folder."""
    tree = TREE_OF_SPLIT[split]
    rows = images.select(["wnid", "index"]).group_by(["wnid", "index"]).aggregate([]).to_pylist()
    return {path_of(tree, folder_of(row, split, val_dirs)) for row in rows}


def read_batch(images: Path, split: str, wnids: Sequence[str], first: int, last: int) -> pa.Table:
    """The images that one job writes, with `COLUMNS`.

    Args:
        images: the split's table of images.
        wnids: the classes in use, in order.
        first: the first class of the batch; splits that are not cut by class have one batch, of all their images.
        last: the last one.
    """
    if split not in _CUT_BY_CLASS:
        return parquet.read(images, COLUMNS)
    return read_classes(images, list(wnids[first : last + 1]), COLUMNS)


def write_folders(images: pa.Table, split: str, val_dirs: str, archive: Path, output_dir: Path) -> dict[str, Any]:
    """Write the given images of a split into their folders in one sweep over the archive; return what its receipt says.

    An image costs one open, one write and one close; neighbours in the archive are read together.

    Args:
        images: rows with `COLUMNS`, all images of each folder concerned; perhaps none.
        split: of which they are.
        val_dirs: "wnid" or "index", how folders of the validation set are called.
        archive: in which all of them lie.
        output_dir: the configured folder, in which the trees lie.

    Returns:
        What the receipt says: by its path below the output folder, the number of `files` of each folder, and when it
        `changed`.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    tree = Tree(output_dir, TREE_OF_SPLIT[split])
    rows = images.to_pylist()
    folders: dict[str, set[str]] = {}
    targets = []
    for row in rows:
        folder = folder_of(row, split, val_dirs)
        folders.setdefault(folder, set()).add(row["filename"])
        targets.append(f"{tree.partial(folder)}/{row['filename']}")
    partials = [tree.partial(folder) for folder in folders]
    progress = Progress(f"writing images of {split}", sum(row["nbytes"] for row in rows), images=len(rows))
    try:
        for partial in partials:
            shutil.rmtree(partial, ignore_errors=True)
            _make(partial)
        if rows:
            for position, data in extract(archive, rows):
                _write(targets[position], data)
                progress.advance(len(data), images=1)
        tree.announce(folders)
        for folder, filenames in folders.items():
            tree.install(folder, filenames)
    except BaseException:
        for partial in partials:
            shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        tree.remove_empty_partial()
    return {"folders": {tree.path(name): tree.made_in(name, len(of)) for name, of in sorted(folders.items())}}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileNotFoundError:  # another job took away the empty parent in between
        folder.mkdir(parents=True)


def _write(path: str, data: memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        while len(data):
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
