"""Reading images straight out of the archives, for training; this needs NumPy and pyarrow alone."""

from imagenet_prep.reading.block_shuffle import BlockShuffle
from imagenet_prep.reading.images import Images

__all__ = ["BlockShuffle", "Images"]
