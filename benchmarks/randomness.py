"""What `BlockShuffle` does to randomness: which classes batches hold, by windows and how many are mixed.

The training archive of ILSVRC2012 lies class by class, with the real number of images in each; no archive is read.
"""

from __future__ import annotations

import numpy as np

from imagenet_prep.datasets.ilsvrc2012_classes import classes
from imagenet_prep.reading import BlockShuffle

BATCH = 256
CASES = [(256, 1), (256, 16), (256, 64), (64, 64), (64, 256), (16, 1024)]
BYTES_AN_IMAGE = 110_000


class Placed:
    """Images of which only the places and the classes are known."""

    def __init__(self) -> None:
        counts = [it.num_train_images for it in classes()]
        self.classes = np.repeat(np.arange(len(counts)), counts)
        self.offsets = np.arange(len(self.classes))

    def __len__(self) -> int:
        return len(self.offsets)

    def will_need(self, _: object) -> None:
        """Nothing is read."""


def figures(labels: np.ndarray) -> tuple[float, float]:
    """Of an epoch in this order: the mean number of classes in a batch; how often an image is followed by its class."""
    batches = labels[: len(labels) // BATCH * BATCH].reshape(-1, BATCH)
    ascending = np.sort(batches, axis=1)
    kinds = 1 + (np.diff(ascending, axis=1) != 0).sum(axis=1)
    return float(kinds.mean()), float((labels[1:] == labels[:-1]).mean())


def table() -> str:
    """The table of docs/training.md."""
    images = Placed()
    rows = ["| order | waits in the cache | classes in a batch | next of the same class |", "|---" * 4 + "|"]
    for window, mixed in CASES:
        order = np.fromiter(BlockShuffle(images, window, mixed), np.int64, len(images))  # type: ignore[arg-type]
        kinds, same = figures(images.classes[order])
        waits = 2 * mixed * window * BYTES_AN_IMAGE / 1e9
        rows.append(f"| `window={window}, mixed={mixed}` | {waits:.1f} GB | {kinds:.0f} | {100 * same:.1f} % |")
    kinds, same = figures(np.random.default_rng(0).permutation(images.classes))
    rows.append(f"| a full shuffle | | {kinds:.0f} | {100 * same:.1f} % |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table())
