"""Folders of files, walked in the order of their names, through whatever links they are reached.

What desktops and editors leave in folders is no file of anybody's, and is passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from imagenet_prep.errors import PrepError, reading

# Hidden names: of macOS (`._x`, `.DS_Store`), of Jupyter (`.ipynb_checkpoints`), of NFS (`.nfs…`).
_PASSED_OVER = re.compile(r"\..+|Thumbs\.db|desktop\.ini|__MACOSX|@eaDir", re.IGNORECASE)
# Taken for files without a look: of a link, the system has to be asked, and a tree may hold a million of them.
_FILE = re.compile(r".+\.(?:jpe?g|png|xml|tar|parquet)", re.IGNORECASE)


def is_passed_over(name: str) -> bool:
    """Whether a file, a folder or the path of a member is, or lies in, something that desktops and editors leave."""
    return any(_PASSED_OVER.fullmatch(part) for part in name.split("/"))


class Walk:
    """The files below a folder, as their paths from there, each folder in the order of its names.

    Attributes:
        passed_over: how many files and folders were passed over so far.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        self.passed_over = 0

    def __iter__(self) -> Iterator[str]:
        return self._below("", ())

    def _below(self, folder: str, above: Sequence[tuple[int, int]]) -> Iterator[str]:
        path = f"{self.root}/{folder}" if folder else self.root
        status = os.stat(path)
        own = status.st_dev, status.st_ino
        if own in above:
            raise PrepError(path, "this link leads back to a folder that it lies in", "Delete the link")
        prefix = f"{folder}/" if folder else ""
        for name, is_folder in self._entries(path):
            if is_folder:
                yield from self._below(prefix + name, (*above, own))
            else:
                yield prefix + name

    def _entries(self, path: str) -> list[tuple[str, bool]]:
        found = []
        with reading(path), os.scandir(path) as entries:
            for entry in entries:
                if _PASSED_OVER.fullmatch(entry.name):
                    self.passed_over += 1
                else:
                    found.append((entry.name, not _FILE.fullmatch(entry.name) and entry.is_dir()))
        return sorted(found)


def state(root: str | os.PathLike[str]) -> list[int]:
    """Two numbers that stay the same while no file is put into a folder or any below it, renamed or taken away.

    They are the number of entries, and a hash of the times (ns since 1970) of all folders. Files are not looked at.
    """
    entries, times = 0, 0
    waiting = [os.fspath(root)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        path = waiting.pop()
        status = os.stat(path)
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        times = (times * 1_000_003 + status.st_mtime_ns) % (1 << 61)
        folders = []
        with os.scandir(path) as found:
            for entry in found:
                entries += 1
                if not _FILE.fullmatch(entry.name) and entry.is_dir():
                    folders.append(f"{path}/{entry.name}")
        waiting += sorted(folders)
    return [entries, times]
