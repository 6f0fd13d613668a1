"""What is published of the size of ILSVRC2012, for what has to be known before an archive is there.

Imports are light, since the Snakefile needs these at every start.
"""

from __future__ import annotations

BYTES = {
    "train": 147_897_477_120,
    "train_t3": 728_000_000,
    "val": 6_744_924_160,
    "test": 13_000_000_000,
    "devkit": 2_568_145,
    "bbox_train": 20_000_000,
    "bbox_val": 2_200_000,
    "multilabel": 200_417_830,
    "real_labels": 388_478,
}
"""Sizes of the archives; round ones are those that ImageNet's pages give."""

IMAGES = {"train": 1_281_167, "validation": 50_000, "test": 100_000, "train_t3": 20_600}
"""Images of each split; of train_t3 about."""

ANNOTATED = 20_000
"""Validation images that have multi-label annotations."""

CLASSES = {"train": 1000, "validation": 1000, "test": 0, "train_t3": 120}
"""Classes of each split, as folders; the test set has none."""
