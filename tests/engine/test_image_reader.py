"""The table of images as the audit looks things up in it, against the same table held whole by pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.engine import image_reader
from imagenet_prep.engine.image_reader import ImageReader
from imagenet_prep.engine.images import IMAGES, write_images
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

TRAIN = [f"n{wnid:08d}_{number}.JPEG" for wnid in range(5) for number in range(10, 20)]
VALIDATION = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 31)]


def part(split: str, names: list[str]) -> pa.Table:
    rows = [
        {
            **dict.fromkeys(IMAGES.names, 0),
            "split": split,
            "filename": name,
            "wnid": name[:9] if split == "train" else f"n{number % 5:08d}",
            "archive": f"{split}.tar",
            "format": "JPEG",
            "colorspace": "RGB",
            "crc32c": number,
        }
        for number, name in enumerate(names)
    ]
    return pa.Table.from_pylist(rows, schema=IMAGES)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "images.parquet"
    classes = [part("train", TRAIN[start : start + 10]) for start in range(0, len(TRAIN), 10)]
    write_images([*classes, part("validation", VALIDATION)], path)
    return path


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_reader, "_ROWS_AT_A_TIME", 20)


def test_a_split_has_its_images_alone(path: Path) -> None:
    assert [len(ImageReader(path, split)) for split in ("train", "validation", "test", None)] == [50, 30, 0, 80]
    parts = ImageReader(path, "train").parts(["filename"])
    assert [name for table in parts for name in table["filename"].to_pylist()] == TRAIN


@settings(max_examples=50)
@given(names=st.lists(st.sampled_from([*TRAIN, *VALIDATION[:5], "unknown.JPEG"])))
def test_names_are_found_with_their_rows_and_numbers(path: Path, names: list[str]) -> None:
    whole = pd.read_parquet(path)
    rows = whole[whole["split"] == "train"].reset_index(drop=True)
    position, numbers, found = ImageReader(path, "train").find(pa.array(names, pa.string()), ["wnid", "crc32c"])
    assert position.tolist() == [n for n, name in enumerate(names) if name in TRAIN]
    wanted = rows.iloc[numbers]
    assert wanted["filename"].tolist() == [name for name in names if name in TRAIN]
    assert found.to_pandas().equals(wanted[["wnid", "crc32c"]].reset_index(drop=True))


def test_rows_are_found_by_their_numbers(path: Path) -> None:
    numbers = np.array([0, 9, 19, 20, 49])
    table = ImageReader(path, "train")
    assert table.rows(numbers, ["filename"])["filename"].to_pylist() == [TRAIN[number] for number in numbers]
    assert len(table.rows(numbers[:0], ["filename"])) == 0


def test_a_class_is_read_alone(path: Path) -> None:
    table = ImageReader(path, "train")
    assert table.of_class("n00000003", ["filename"])["filename"].to_pylist() == TRAIN[30:40]
    assert len(table.of_class("n00000099", ["filename"])) == 0


def test_a_table_laid_down_in_another_way_is_an_error(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "images.parquet"
    parquet.write(parquet.read(path), other)
    with pytest.raises(PrepError, match="not of one split") as caught:
        ImageReader(other, "train")
    assert caught.value.place == str(other)
