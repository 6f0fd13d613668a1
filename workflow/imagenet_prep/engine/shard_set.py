"""The set of shards (or of their indexes) of a split, and the ledger of the sets that were ever made.

Imports are light, since the Snakefile uses this at every start.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine.receipts import Name, load


class _Any:
    """Stands for a number in a format string, and is written as `*`: so a name becomes a pattern for a shell."""

    def __format__(self, spec: str) -> str:
        return "*"


@dataclass(frozen=True)
class Naming:
    """How the files of a shard are called, below the folder of their product; the field's way where nothing is said.

    Each name is a format string of `split`, `shard` (from 0), `shards` and `width`, the digits of the last shard.

    Attributes:
        shard: the name of the shard.
        beside: those of smaller files, which are written with it.
    """

    shard: str = "{split}-{shard:05d}-of-{shards:05d}"
    beside: tuple[str, ...] = ()

    def of(self, split: str, shard: int, shards: int) -> list[str]:
        """The names of the shard and of the files beside it."""
        values = {"split": split, "shard": shard, "shards": shards, "width": len(str(max(0, shards - 1)))}
        return [name.format(**values) for name in (self.shard, *self.beside)]

    def patterns(self, split: str, shards: int | None = None) -> list[str]:
        """What matches all of these names in a shell, in sets of that many shards, or in all sets."""
        values = {"split": split, "shard": _Any(), "shards": _Any() if shards is None else shards, "width": 1}
        return [name.format(**values) for name in (self.shard, *self.beside)]


USUAL = Naming()
"""Such as `train-00000-of-01024`."""


@dataclass(frozen=True)
class ShardSet:
    """The files of one product and split.

    Attributes:
        output_dir: the configured folder.
        product: the name of the product, the folder's name too.
        split: such as "train".
        shards: how many there are.
        naming: how they are called.
    """

    output_dir: Path
    product: str
    split: str
    shards: int
    naming: Naming = USUAL

    @property
    def folder(self) -> Path:
        """The folder of the product."""
        return self.output_dir / self.product

    def paths(self) -> list[Path]:
        """All shards of the set, in order."""
        return [self.files_of(shard)[0] for shard in range(self.shards)]

    def files_of(self, shard: int) -> list[Path]:
        """A shard, and the files beside it."""
        return [self.folder / name for name in self.naming.of(self.split, shard, self.shards)]

    def files(self) -> Iterator[Path]:
        """All files of the set: the shards, each with what is beside it."""
        return (path for shard in range(self.shards) for path in self.files_of(shard))

    def names(self) -> list[str]:
        """The paths of the shards below the output folder, in order."""
        return [path.relative_to(self.output_dir).as_posix() for path in self.paths()]

    @property
    def pattern(self) -> str:
        """What matches all shards of the set in a shell, and nothing else but shards of this split."""
        return f"{self.folder}/{self.naming.patterns(self.split, self.shards)[0]}"

    def write_down(self) -> None:
        """Note in the ledger that this set is being made; call it before its first file is."""
        folder = _ledger(self.output_dir, self.product)
        folder.mkdir(parents=True, exist_ok=True)
        # Empty, so that several jobs may do this at once: there is no content that could be half-written.
        (folder / f"{self.split}-of-{self.shards}.txt").touch()


def remove_others(found: ShardSet) -> None:
    """Take away the files and leftovers of the split's other sets."""
    _remove_sets(found.output_dir, found.product, found.naming, f"{found.split}-of-*.txt", found)
    for pattern in found.naming.patterns(found.split):
        path = found.folder / pattern
        for leftover in path.parent.glob(f".{path.name}.*{atomic.PARTIAL}"):
            leftover.unlink(missing_ok=True)


def remove_splits(output_dir: Path, product: str, splits: Collection[str], naming: Naming = USUAL) -> None:
    """Take away all files that were made of some of a product's splits."""
    for marker in sets_made(output_dir, product):
        split = marker.stem.partition("-")[0]
        if split in splits:
            found = _set_of(output_dir, product, naming, marker)
            _remove_sets(output_dir, product, naming, marker.name)
            for folder in {path.parent for path in found.files()} - {found.folder}:
                with contextlib.suppress(OSError):  # it is not there, or not empty
                    folder.rmdir()


def sets_made(output_dir: Path, product: str) -> list[Path]:
    """What the ledger has of a product: a file a set that was ever made and not yet taken away."""
    return sorted(_ledger(output_dir, product).glob("*-of-*.txt"))


def is_of_a_set(output_dir: Path, product: str, path: Path, naming: Naming = USUAL) -> bool:
    """Whether a file is of one of these sets, by its name."""
    return any(
        path in _set_of(output_dir, product, naming, marker).files() for marker in sets_made(output_dir, product)
    )


def files_by_split(receipts: Iterable[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What receipts of batches of shards say of these: for each split, `split` and `files`, by name."""
    splits: dict[str, dict[str, Any]] = {}
    for receipt in map(Path, receipts):
        name = Name.parse(receipt.name)
        of_all = load(receipt)["files"].items()
        files = {
            Path(path).name: content for path, content in of_all if "records" in content
        }  # not what is beside them
        splits.setdefault(name.split if name else "", {}).update(files)
    return [{"split": split, "files": files} for split, files in splits.items()]


def _ledger(output_dir: Path, product: str) -> Path:
    return output_dir / "state" / "made" / product


def _set_of(output_dir: Path, product: str, naming: Naming, marker: Path) -> ShardSet:
    split, _, shards = marker.stem.partition("-of-")
    return ShardSet(output_dir, product, split, int(shards), naming)


def _remove_sets(output_dir: Path, product: str, naming: Naming, markers: str, keep: ShardSet | None = None) -> None:
    """Take away sets of the ledger, but not the one to keep, nor files that are called like some of it."""
    kept = set(keep.files()) if keep else set()
    for marker in _ledger(output_dir, product).glob(markers):
        found = _set_of(output_dir, product, naming, marker)
        if found != keep:
            for path in found.files():
                if path not in kept:
                    path.unlink(missing_ok=True)
            marker.unlink()
