"""An order of samples for disks that read neighbours faster than what lies apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagenet_prep.reading.images import Images, Numbers


class BlockShuffle:
    """A sampler for a `DataLoader`: windows of neighbours in the archive in random order, some of them mixed at a time.

    The archive is cut into windows of `window` images, which lie one behind the other. Their order is random; `mixed`
    windows at a time are taken, and their images come in random order, while the system already reads the next ones
    from the disk. So the disk reads long pieces, and what waits to be used is in the system's cache: `2 * mixed *
    window` images, about 110 kB each.

    It is no full shuffle. The training archive lies class by class, so that a window is of one class or two: a batch
    has images of at most `mixed` or so of the classes. docs/training.md has figures.

    Args:
        images: those to be shuffled.
        window: the images of a window.
        mixed: how many windows are mixed.
        seed: of the order, with the number of the epoch.
        num_replicas: how many processes share an epoch, each with windows of its own. All have as many images, so
            that fewer than `num_replicas` of them come twice.
        rank: which of them this is, from 0.
    """

    def __init__(
        self, images: Images, window: int = 64, mixed: int = 256, seed: int = 0, num_replicas: int = 1, rank: int = 0
    ) -> None:
        if min(window, mixed, num_replicas) < 1 or not 0 <= rank < num_replicas:
            raise ValueError("window, mixed and num_replicas are at least 1, and rank is less than num_replicas")
        self.images, self.window, self.mixed, self.seed = images, window, mixed, seed
        self.num_replicas, self.rank, self.epoch = num_replicas, rank, 0
        self._by_offset = np.argsort(images.offsets, kind="stable").astype(np.int32)

    def set_epoch(self, epoch: int) -> None:
        """Have the next pass be of this epoch, in another order than those of others; call it in every process."""
        self.epoch = epoch

    def __len__(self) -> int:
        """The number of samples of this process."""
        return -(-len(self.images) // self.num_replicas)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the samples."""
        random = np.random.default_rng((self.seed, self.epoch))
        own = self._own(random.permutation(-(-len(self.images) // self.window)))
        groups = np.array_split(own, range(self.window * self.mixed, len(own), self.window * self.mixed))
        shuffle = np.random.default_rng((self.seed, self.epoch, self.rank)).permutation
        for _ in self._reading_ahead(groups[0]):
            pass
        for number, group in enumerate(groups):
            # One window is asked for after as many samples were given: the disk neither waits, nor is waited for.
            ahead = self._reading_ahead(groups[number + 1]) if number + 1 < len(groups) else iter(())
            for given, position in enumerate(shuffle(group)):
                if given % self.window == 0:
                    next(ahead, None)
                yield int(self._by_offset[position])
            for _ in ahead:
                pass

    def _own(self, windows: Numbers) -> Numbers:
        """The places, counted by offset, of what this process has of an epoch, window by window."""
        places = np.arange(len(self.images))
        order = np.concatenate([places[it * self.window : (it + 1) * self.window] for it in windows])
        first = self.rank * len(self)
        return np.take(order, range(first, first + len(self)), mode="wrap")

    def _reading_ahead(self, group: Numbers) -> Iterator[None]:
        """Have the system read windows of a group, one at each step."""
        ascending = np.sort(group)
        for window in np.split(ascending, np.flatnonzero(np.diff(ascending) > 1) + 1):
            for start in range(0, len(window), self.window):  # neighbours are one piece, which may be long
                self.images.will_need(self._by_offset[window[start : start + self.window]].astype(np.int64))
                yield
