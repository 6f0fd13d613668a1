"""Removes what killed jobs leave: files and folders that they were writing, under hidden names."""

from __future__ import annotations

import shutil
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.imagefolder import ImageFolder

_LEFTOVER = f".*.*-*{atomic.PARTIAL}"


def remove_partials(output_dir: Path) -> None:
    """Remove what killed jobs were writing; only while nobody writes.

    The class folders are not searched: they are filled elsewhere, and searching them would take long.
    """
    shutil.rmtree(output_dir / ImageFolder.name / ".partial", ignore_errors=True)
    for tree in output_dir.glob(f"{ImageFolder.name}/*"):
        Tree(output_dir, tree.name).remove_partials()
    folders = [path for path in output_dir.glob("*") if path.is_dir() and path.name != ImageFolder.name]
    # `archives` may be a link to a shared folder, in which others may be writing.
    folders = [path for path in folders if not (path.name == "archives" and path.is_symlink())]
    for leftover in [*output_dir.glob(_LEFTOVER), *(path for it in folders for path in it.rglob(_LEFTOVER))]:
        leftover.unlink(missing_ok=True)
