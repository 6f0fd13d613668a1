"""Reading images straight out of the archives, for training: nothing is converted, nothing but NumPy and pyarrow needed."""

from imagenet_prep.reading.block_shuffle import BlockShuffle
from imagenet_prep.reading.images import Images

__all__ = ["BlockShuffle", "Images"]
