"""The pass over the table of images."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from imagenet_prep.engine.images import IMAGES, write_images
from imagenet_prep.report.survey import survey


def test_a_split_of_which_no_image_is_selected_has_figures_too(tmp_path: Path) -> None:
    row = {"split": "train", "filename": "n00000010_1.JPEG", "wnid": "n00000010", "class_index": 0, "archive": "a.tar"}
    row |= {"offset": 512, "length": 100, "width": 4, "height": 3, "format": "JPEG", "colorspace": "RGB"}
    write_images([pa.Table.from_pylist([row], schema=IMAGES)], tmp_path / "images.parquet")
    found = survey(tmp_path / "images.parquet", ["train", "train_t3"])
    assert found.images == {"train": 1, "train_t3": 0}
    assert found.nbytes == {"train": 100, "train_t3": 0}
    assert found.of_class == {"train": {"n00000010": 1}, "train_t3": {}}
    assert found.kinds == {"train": {("JPEG", "RGB"): 1}, "train_t3": {}}
