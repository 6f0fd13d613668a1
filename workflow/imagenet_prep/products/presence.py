"""Whether what a receipt says was made still lies there; a receipt of which that is not true is void."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL
from imagenet_prep.products.tfds import FEATURES, INFO, MULTILABEL_NAMES
from imagenet_prep.products.tree import Tree, partial_folder

_LEFTOVER = f".*.*-*{atomic.PARTIAL}"


def revoke_void_receipts(output_dir: Path) -> list[Path]:
    """Delete the receipts of batches whose files were deleted since, so that the next run makes them again.

    The receipt of indexes is void too where a shard is newer than it. Returns the receipts deleted.
    """
    state = output_dir / "state"

    def folders_hold(receipt: Path, content: dict[str, Any]) -> bool:
        tree = Tree(output_dir, content["tree"])
        return not isinstance(content["folders"], dict) or all(
            _folder_holds(tree, folder, receipt) for folder in content["folders"]
        )

    def shards_hold(receipt: Path, content: dict[str, Any]) -> bool:
        return all((output_dir / TFRECORD / name).is_file() for name in content["files"])

    def multilabel_holds(_: Path, content: dict[str, Any]) -> bool:
        names = [FEATURES, INFO, *MULTILABEL_NAMES, *(name for split in content["splits"] for name in split["files"])]
        return all((output_dir / TFRECORD_MULTILABEL / name).is_file() for name in names)

    def indexes_hold(receipt: Path, content: dict[str, Any]) -> bool:
        made = receipt.stat().st_mtime_ns
        return all(
            (output_dir / TFRECORD_INDEX / name).is_file() and _mtime(output_dir / TFRECORD / name) <= made
            for name in content["files"]
        )

    return [
        *batches.revoke(state / "imagefolder", folders_hold),
        *batches.revoke(state / TFRECORD, shards_hold),
        *batches.revoke(state / TFRECORD_MULTILABEL, multilabel_holds),
        *batches.revoke(state / TFRECORD_INDEX, indexes_hold),
    ]


def remove_dead_links(folder: Path) -> None:
    """Remove the links to archives that are not there any more, so that Snakemake takes them for missing files."""
    for link in folder.glob("*"):
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)


def remove_leftovers(output_dir: Path) -> None:
    """Remove what killed jobs were writing; only while nobody writes.

    The class folders are not searched: they are filled elsewhere, and searching them would take long.
    """
    shutil.rmtree(partial_folder(output_dir), ignore_errors=True)
    folders = [path for path in output_dir.glob("*") if path.is_dir() and path.name != "imagefolder"]
    for leftover in [*output_dir.glob(_LEFTOVER), *(path for it in folders for path in it.rglob(_LEFTOVER))]:
        leftover.unlink(missing_ok=True)


def _folder_holds(tree: Tree, folder: str, receipt: Path) -> bool:
    """Whether the folder is there with all its files; they are looked at only if it changed since the receipt."""
    path = tree.root / folder
    try:
        if path.stat().st_mtime_ns <= receipt.stat().st_mtime_ns:
            return True
        return tree.made(folder) <= set(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
