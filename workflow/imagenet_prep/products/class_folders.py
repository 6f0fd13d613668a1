"""A tree of class folders and its ledger: the files that were put into each folder, which alone are ever removed.

Imports are light, since the Snakefile uses this at every start.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.engine import receipts

# Errors of a rename to a folder that exists and is not empty, or is a link to one.
_IS_THERE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


class Tree:
    """The tree of a split and its ledger.

    Attributes:
        name: of the tree, such as `train`.
        output_dir: the configured folder.
        root: `imagefolder/<name>`, which holds class folders, or the files themselves (folder "").
        ledger: the folder that holds a text file for each class folder, with the names of the files made in it.
    """

    def __init__(self, output_dir: Path, name: str) -> None:
        self.name = name
        self.output_dir = output_dir
        self.root = output_dir / path_of(name, "")
        self.ledger = output_dir / "state" / "made" / "imagefolder" / name
        self._partial = partial_folders(output_dir, self.root)[0]
        self._writer = atomic.writer()

    def partial(self, folder: str) -> Path:
        """Where this process fills a folder before it is put in its place."""
        return self._partial / f"{self.name}-{folder}.{self._writer}"

    def make_partials(self, folders: Iterable[str]) -> None:
        """Make an empty folder for each to be filled in, from where it can be renamed into the tree."""
        folders = list(folders)
        *first, last = partial_folders(self.output_dir, self.root)
        for self._partial in first:
            with contextlib.suppress(OSError):
                self._make_partials(folders)
                if self._leads_into_tree(folders):
                    return
            self.discard_partials(folders)
        self._partial = last
        self._make_partials(folders)

    def _make_partials(self, folders: Iterable[str]) -> None:
        for folder in folders:
            partial = self.partial(folder)
            shutil.rmtree(partial, ignore_errors=True)
            try:
                partial.mkdir(parents=True)
            except FileNotFoundError:  # another job took away the empty parent in between
                partial.mkdir(parents=True)

    def _leads_into_tree(self, folders: Iterable[str]) -> bool:
        """Whether files in this process's folders can be renamed into the tree; not if the tree is on another disk.

        A file is renamed to find out: the numbers of devices do not tell two mounts of one disk apart.
        """
        if not self.root.is_dir():
            return True
        for folder in folders:
            probe, there = self.partial(folder) / ".probe", self.root / f".probe.{self._writer}{atomic.PARTIAL}"
            probe.touch()
            try:
                os.replace(probe, there)
            except OSError:
                return False
            there.unlink()
            break
        return True

    def discard_partials(self, folders: Iterable[str]) -> None:
        """Take away the folders that this process was filling."""
        for folder in folders:
            shutil.rmtree(self.partial(folder), ignore_errors=True)
        _remove_empty(self._partial)

    def made(self, folder: str) -> set[str]:
        """The file names that were ever put into the folder and not yet taken away."""
        return receipts.ledger(self.output_dir, self.path(folder))

    def path(self, folder: str) -> str:
        """The path of a folder below the output folder."""
        return path_of(self.name, folder)

    def made_in(self, folder: str, files: int) -> dict[str, int]:
        """What a receipt says of a folder that has just been made, with this number of files."""
        return {"files": files, "changed": (self.root / folder).stat().st_mtime_ns}

    def folders_made(self) -> set[str]:
        """The folders that have a ledger."""
        names = {path.stem for path in self.ledger.glob("*.txt")} if self.ledger.is_dir() else set()
        return {"" if name == "files" else name for name in names}

    def write_down(self, folder: str, filenames: Iterable[str]) -> None:
        """Set the folder's ledger."""
        lines = "".join(f"{name}\n" for name in sorted(filenames))
        atomic.write_text(receipts.ledger_of(self.output_dir, self.path(folder)), lines, durable=False)

    def announce(self, folders: Mapping[str, set[str]]) -> None:
        """Note the files of the filled folders, and wait until they and the notes are on the disk."""
        for folder, filenames in folders.items():
            self.write_down(folder, self.made(folder) | filenames)
        if folders:  # a choice of classes may leave none, and then there is no ledger either
            atomic.settle(self.ledger)

    def install(self, folder: str, filenames: set[str]) -> None:
        """Rename an announced folder to its place; if one exists there, move file by file, and keep others' files."""
        announced = self.made(folder)
        source, target = self.partial(folder), self.root / folder
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.rename(target)
        except OSError as error:
            if error.errno not in _IS_THERE:
                raise
            for name in sorted(filenames):
                atomic.move(source / name, target / name)
            for name in announced - filenames:
                (target / name).unlink(missing_ok=True)
            source.rmdir()
        if announced != filenames:
            self.write_down(folder, filenames)

    def remove(self, folder: str) -> None:
        """Remove the files that were made in a folder, and the folder if it is then empty."""
        target = self.root / folder
        for name in self.made(folder):
            (target / name).unlink(missing_ok=True)
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        receipts.ledger_of(self.output_dir, self.path(folder)).unlink(missing_ok=True)

    def remove_if_empty(self) -> None:
        """Remove the tree if it is empty; a link to a tree stays."""
        if self.root.is_dir() and not self.root.is_symlink() and not any(self.root.iterdir()):
            self.root.rmdir()

    def remove_partials(self) -> None:
        """Remove the folders that killed jobs were filling."""
        for folder in partial_folders(self.output_dir, self.root):
            for leftover in folder.glob(f"{self.name}-*"):
                shutil.rmtree(leftover)
            _remove_empty(folder)
        for probe in self.root.glob(f".probe.*{atomic.PARTIAL}"):
            probe.unlink(missing_ok=True)


def _remove_empty(partial: Path) -> None:
    """Take away a folder in which folders are filled, if nobody is filling any."""
    with contextlib.suppress(OSError):  # other jobs may be filling folders there
        partial.rmdir()


def partial_folders(output_dir: Path, root: Path) -> list[Path]:
    """Where class folders can be filled before they are renamed into a tree, the best place first.

    It is beside the trees, since readers take every folder in a tree for a class. For a tree on another disk it has to
    be on that disk: beside the target of the link, or in the tree itself where the disk is mounted there.
    """
    real = Path(os.path.realpath(root))
    beside = [real.with_name(f".{real.name}{atomic.PARTIAL}")] if root.is_symlink() else []
    return [output_dir / "imagefolder" / ".partial", *beside, real / ".partial"]


def path_of(tree: str, folder: str) -> str:
    """The path of a folder of a tree below the output folder; the folder "" is the tree itself."""
    return f"imagefolder/{tree}/{folder}".removesuffix("/")
