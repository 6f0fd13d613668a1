"""The set of shards (or of their indexes) of a split, and the ledger of the sets that were ever made.

Imports are light, since the Snakefile uses this at every start.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine.receipts import Name, load


@dataclass(frozen=True)
class ShardSet:
    """The files of one product and split.

    Attributes:
        output_dir: the configured folder.
        product: the name of the product, the folder's name too.
        split: such as "train".
        shards: how many there are.
    """

    output_dir: Path
    product: str
    split: str
    shards: int

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.output_dir / self.product

    def paths(self) -> list[Path]:
        """All files of the set, in order."""
        return [self.folder / shard_name(self.split, shard, self.shards) for shard in range(self.shards)]

    def names(self) -> list[str]:
        """Their paths below the output folder, in order."""
        return [path.relative_to(self.output_dir).as_posix() for path in self.paths()]

    @property
    def pattern(self) -> str:
        """What matches all files of the set in a shell, and none of another set."""
        return f"{self.folder}/{self.split}-*-of-{self.shards:05d}"

    def write_down(self) -> None:
        """Note in the ledger that this set is being made; call it before its first file is."""
        self._ledger.mkdir(parents=True, exist_ok=True)
        # Empty, so that several jobs may do this at once: there is no content that could be half-written.
        (self._ledger / f"{self.split}-of-{self.shards}.txt").touch()

    @property
    def _ledger(self) -> Path:
        return _ledger(self.output_dir, self.product)


def remove_others(found: ShardSet) -> None:
    """Take away the files and leftovers of the split's other sets."""
    _remove_sets(found.output_dir, found.product, f"{found.split}-of-*.txt", {(found.split, found.shards)})
    for leftover in found.folder.glob(f".{found.split}-*{atomic.PARTIAL}"):
        leftover.unlink(missing_ok=True)


def remove_splits(output_dir: Path, product: str, splits: Collection[str]) -> None:
    """Take away all files that were made of some of a product's splits."""
    for marker in sets_made(output_dir, product):
        split = marker.stem.partition("-")[0]
        if split in splits:
            _remove_sets(output_dir, product, marker.name, set())


def sets_made(output_dir: Path, product: str) -> list[Path]:
    """What the ledger has of a product: a file a set that was ever made and not yet taken away."""
    return sorted(_ledger(output_dir, product).glob("*-of-*.txt"))


def is_of_a_set(output_dir: Path, product: str, path: Path) -> bool:
    """Whether a file is of one of these sets, by its name."""
    found = (marker.stem.partition("-of-") for marker in sets_made(output_dir, product))
    return any(path in ShardSet(output_dir, product, split, int(shards)).paths() for split, _, shards in found)


def files_by_split(receipts: Iterable[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What receipts of batches of shards say of the files: for each split, `split` and `files`, by name."""
    splits: dict[str, dict[str, Any]] = {}
    for receipt in map(Path, receipts):
        name = Name.parse(receipt.name)
        files = {Path(path).name: content for path, content in load(receipt)["files"].items()}
        splits.setdefault(name.split if name else "", {}).update(files)
    return [{"split": split, "files": files} for split, files in splits.items()]


def shard_name(split: str, shard: int, shards: int) -> str:
    """The field's name of a shard, such as `train-00000-of-01024`."""
    return f"{split}-{shard:05d}-of-{shards:05d}"


def _ledger(output_dir: Path, product: str) -> Path:
    return output_dir / "state" / "made" / product


def _remove_sets(output_dir: Path, product: str, markers: str, keep: set[tuple[str, int]]) -> None:
    for marker in _ledger(output_dir, product).glob(markers):
        split, _, shards = marker.stem.partition("-of-")
        if (split, int(shards)) not in keep:
            for path in ShardSet(output_dir, product, split, int(shards)).paths():
                path.unlink(missing_ok=True)
            marker.unlink()
