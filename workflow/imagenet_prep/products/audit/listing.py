"""Compares what a folder holds with what it should hold: nothing missing, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.products.audit.findings import Check, Mend


def check_listing(name: str, top: Path, expected: Mapping[Path, str], mend_of_others: Mend) -> Check:
    """Compare a folder, and those folders in it in which something is expected.

    Args:
        name: of the check.
        top: the folder.
        expected: the files and folders that should be there, at any depth below it, and nothing beside them; by path,
            the command that makes what is missing.
        mend_of_others: the command that takes away what should not be there.
    """
    check = Check(name, {"entries": 0})
    for folder, names in _by_folder(top, expected).items():
        if folder != top and not folder.is_dir():
            continue  # it is missing itself
        # What is being written goes at the end of the run.
        there = {it.name for it in folder.iterdir() if not atomic.is_partial(it)} if folder.is_dir() else set()
        check.figures["entries"] += len(there)
        for mend in dict.fromkeys(names.values()):
            missing = sorted(it for it, command in names.items() if command == mend and it not in there)
            check.add_each("it is missing", [str(folder / it) for it in missing], mend)
        others = [str(folder / it) for it in sorted(there - names.keys())]
        check.add_each("no product of this configuration", others, mend_of_others)
    return check


def _by_folder(top: Path, expected: Mapping[Path, str]) -> dict[Path, dict[str, str]]:
    """The names that each folder should hold, those of folders on the way included."""
    found: dict[Path, dict[str, str]] = {top: {}}
    for path, mend in expected.items():
        while path != top:
            found.setdefault(path.parent, {}).setdefault(path.name, mend)
            path = path.parent
    return found
