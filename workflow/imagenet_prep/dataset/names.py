"""Names that follow from the dataset alone: of archives, folders, files and columns.

Imports are light, since the Snakefile needs them at every start.
"""

from __future__ import annotations

ARCHIVE_OF_SPLIT = {"train": "train", "validation": "val", "test": "test", "train_t3": "train_t3"}
"""The archive, by its name in the configuration, that holds a split's images."""

BOXES_OF_SPLIT = {"train": "bbox_train", "validation": "bbox_val"}
"""The archive of its bounding boxes, likewise; these are the splits that TFRecords are made of."""

TREE_OF_SPLIT = {"train": "train", "validation": "val", "test": "test", "train_t3": "train_t3"}
"""The folder of its image files, below `imagefolder/`."""

BOX_SIDES = ("xmin", "ymin", "xmax", "ymax")
"""The columns of a box: left, upper, right and lower edge."""

LABEL_FILES = (
    "synsets.parquet",
    "classes.csv",
    "val_labels.csv",
    "val_index.txt",
    "validation_synset_labels.txt",
    "wnid_to_index.txt",
    "hierarchy.json",
)
"""All files of `labels/`."""

SUMS = "SHA256SUMS"
"""The list of the checksums of all that is published."""


def shard_name(split: str, shard: int, shards: int) -> str:
    """The field's name of a shard, such as `train-00000-of-01024`."""
    return f"{split}-{shard:05d}-of-{shards:05d}"
