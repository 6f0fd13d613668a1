"""The set of shards (or of their indexes) of a split, and the ledger of the sets that were ever made.

Imports are light, since the Snakefile looks here at every start whether what was made still lies there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, batches, versions
from imagenet_prep.dataset.names import shard_name

TFRECORD = "tfrecord"
TFRECORD_INDEX = "tfrecord_index"
TFRECORD_MULTILABEL = "tfrecord_multilabel"
_VERSIONS = {
    TFRECORD: versions.TFRECORD,
    TFRECORD_INDEX: versions.INDEX,
    TFRECORD_MULTILABEL: versions.MULTILABEL_TFRECORD,
}


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

    @property
    def pattern(self) -> str:
        """What matches all files of the set in a shell, and none of another set."""
        return f"{self.folder}/{self.split}-*-of-{self.shards:05d}"

    def write_down(self) -> None:
        """Note in the ledger that this set is being made; call it before its first file is."""
        self._ledger.mkdir(parents=True, exist_ok=True)
        # Empty, so that several jobs may do this at once: there is no content that could be half-written.
        (self._ledger / f"{self.split}-of-{self.shards}.txt").touch()

    def complete(self, receipts: list[Path]) -> dict[str, Any]:
        """Take away the files, leftovers and receipts of the split's other sets; return the receipt of this one.

        Args:
            receipts: those of all its batches, in order.
        """
        remove_others(self)
        batches.remove_others(receipts[0].parent, self.split, receipts)
        files: dict[str, Any] = {}
        for receipt in receipts:
            files.update(json.loads(receipt.read_text(encoding="utf-8"))["files"])
        return {"split": self.split, "files": files, "format_version": _VERSIONS[self.product]}

    @property
    def _ledger(self) -> Path:
        return _ledger(self.output_dir, self.product)


def remove_others(found: ShardSet) -> None:
    """Take away the files and leftovers of the split's other sets."""
    _remove_sets(found.output_dir, found.product, f"{found.split}-of-*.txt", {(found.split, found.shards)})
    for leftover in found.folder.glob(f".{found.split}-*{atomic.PARTIAL}"):
        leftover.unlink(missing_ok=True)


def remove_splits(output_dir: Path, keep: Collection[str]) -> None:
    """Take away the shards and indexes of all splits but those to keep."""
    for product in (TFRECORD, TFRECORD_INDEX):
        for marker in _ledger(output_dir, product).glob("*-of-*.txt"):
            split = marker.stem.partition("-")[0]
            if split not in keep:
                _remove_sets(output_dir, product, marker.name, set())


def _ledger(output_dir: Path, product: str) -> Path:
    return output_dir / "state" / "made" / product


def _remove_sets(output_dir: Path, product: str, markers: str, keep: set[tuple[str, int]]) -> None:
    for marker in _ledger(output_dir, product).glob(markers):
        split, _, shards = marker.stem.partition("-of-")
        if (split, int(shards)) not in keep:
            for path in ShardSet(output_dir, product, split, int(shards)).paths():
                path.unlink(missing_ok=True)
            marker.unlink()
