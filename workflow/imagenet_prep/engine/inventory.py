"""Which receipts lie in an output folder, and whether all is there that they name.

Imports are light, since the Snakefile looks here at every start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.engine.receipts import STATE, Body, Name, ledger, load, names
from imagenet_prep.errors import PrepError


class Inventory:
    """The receipts below an output folder as they are found: each folder is listed once, each receipt read once.

    Attributes:
        listed: of each step that was asked for, by subject and digest, the highest number of its receipts.
    """

    def __init__(self, output_dir: Path) -> None:
        self.output_dir = output_dir
        self.listed: dict[str, dict[tuple[str, str], int]] = {}
        self._bodies: dict[tuple[str, str, str], Body | None] = {}
        self._whole: dict[tuple[str, str, str], bool] = {}

    def newest(self, step: str) -> Mapping[tuple[str, str], int]:
        """By subject and digest, the highest number of a step's receipts."""
        if step not in self.listed:
            found: dict[tuple[str, str], int] = {}
            for name in names(self.output_dir / STATE / step):
                key = name.subject, name.digest
                found[key] = max(name.number, found.get(key, 0))
            self.listed[step] = found
        return self.listed[step]

    def number(self, step: str, subject: str, digest: str) -> int:
        """The number of the newest of these receipts; 0 where there is none."""
        return self.newest(step).get((subject, digest), 0)

    def body(self, step: str, subject: str, digest: str) -> Body | None:
        """The body of the newest of these receipts; None where there is none that can be read."""
        key = step, subject, digest
        if key not in self._bodies:
            number = self.number(*key)
            path = self.output_dir / STATE / step / str(Name(subject, digest, number))
            try:
                self._bodies[key] = load(path) if number else None
            except (PrepError, OSError):
                self._bodies[key] = None
        return self._bodies[key]

    def is_whole(self, step: str, subject: str, digest: str) -> bool:
        """Whether all files and folders exist that the newest of these receipts names."""
        key = step, subject, digest
        if key not in self._whole:
            body = self.body(*key)
            self._whole[key] = body is not None and is_whole(self.output_dir, body)
        return self._whole[key]


def is_whole(output_dir: Path, body: Body) -> bool:
    """Whether each file, folder and link that a receipt names exists, each folder with all its files."""
    try:
        files, folders, links = (body.get(of, {}) for of in ("files", "folders", "links"))
        root = os.fspath(output_dir)
        return (
            all(os.path.isfile(f"{root}/{path}") for path in files)
            and all(_holds(output_dir, path, made) for path, made in folders.items())
            and all(_leads(f"{root}/{path}", target) for path, target in links.items())
        )
    except (AttributeError, KeyError, TypeError):  # of a body that says something else
        return False


def _leads(path: str, target: str) -> bool:
    """Whether a link to this is there."""
    return os.path.islink(path) and os.readlink(path) == target


def _holds(output_dir: Path, path: str, made: Mapping[str, Any]) -> bool:
    """Whether a folder is there with all its files, which are looked at only if it changed since it was made."""
    try:
        if os.stat(output_dir / path).st_mtime_ns == made["changed"]:
            return True
        names = ledger(output_dir, path)
        return len(names) >= made["files"] and names <= set(os.listdir(output_dir / path))
    except (FileNotFoundError, NotADirectoryError):
        return False
