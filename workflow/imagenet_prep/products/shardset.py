"""The set of shards (or of their indexes) of a split, and the ledger of the sets that were ever made.

Imports are light, since the Snakefile looks here at every start whether what was made still lies there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset.names import shard_name
from imagenet_prep.engine.receipts import Name, load

TFRECORD = "tfrecord"
TFRECORD_INDEX = "tfrecord_index"
TFRECORD_MULTILABEL = "tfrecord_multilabel"


@dataclass(frozen=True)
class ShardSet:
    """The files of one product and split.

    Attributes:
        output_dir: the configured folder.
        product: `TFRECORD`, `TFRECORD_INDEX` or `TFRECORD_MULTILABEL`, the folder's name too.
        split: "train" or "validation"; of the multi-label set "validation" or "imagenet_m".
        shards: how many there are.
    """

    output_dir: Path
    product: str
    split: str
    shards: int

    @classmethod
    def of(cls, config: Mapping[str, Any], product: str, split: str) -> ShardSet:
        """The set that the configuration asks for."""
        return cls(Path(config["output_dir"]), product, split, config["tfrecord"][f"{split}_shards"])

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


def remove_splits(output_dir: Path, product: str, keep: Collection[str]) -> None:
    """Take away all files that were made of a product's splits but for those to keep."""
    for marker in _ledger(output_dir, product).glob("*-of-*.txt"):
        split = marker.stem.partition("-")[0]
        if split not in keep:
            _remove_sets(output_dir, product, marker.name, set())


def files_by_split(receipts: Iterable[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What receipts of batches of shards say of the files: for each split, `split` and `files`, by name."""
    splits: dict[str, dict[str, Any]] = {}
    for receipt in map(Path, receipts):
        name = Name.parse(receipt.name)
        files = {Path(path).name: content for path, content in load(receipt)["files"].items()}
        splits.setdefault(name.split if name else "", {}).update(files)
    return [{"split": split, "files": files} for split, files in splits.items()]


def _ledger(output_dir: Path, product: str) -> Path:
    return output_dir / "state" / "made" / product


def _remove_sets(output_dir: Path, product: str, markers: str, keep: set[tuple[str, int]]) -> None:
    for marker in _ledger(output_dir, product).glob(markers):
        split, _, shards = marker.stem.partition("-of-")
        if (split, int(shards)) not in keep:
            for path in ShardSet(output_dir, product, split, int(shards)).paths():
                path.unlink(missing_ok=True)
            marker.unlink()
