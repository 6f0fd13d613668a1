"""Parquet files of images: held against pyarrow's own reader and writer, and laid out as the Hub has them."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.formats import hub_parquet
from imagenet_prep.formats.hub_parquet import Sample

NAMES = ["tench, Tinca tinca", "crane", "crane2"]
SIDE = st.floats(0, 1, width=32)
SAMPLES = st.lists(
    st.builds(
        Sample,
        image=st.binary(max_size=300),
        path=st.text("abc_0.JPEG", max_size=20),
        label=st.integers(-1, 999),
        boxes=st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), max_size=3),
    ),
    max_size=20,
)


def rows_of(samples: list[Sample]) -> list[dict[str, Any]]:
    return [
        {
            "image": {"bytes": bytes(it.image), "path": it.path},
            "label": it.label,
            "objects": {"bbox": [list(box) for box in it.boxes], "category": [it.label] * len(it.boxes)},
        }
        for it in samples
    ]


def written(path: Path, samples: list[Sample]) -> pq.FileMetaData:
    hub_parquet.write_samples(path, samples, hub_parquet.schema(NAMES))
    return pq.ParquetFile(path).metadata


@settings(deadline=None)
@given(SAMPLES)
def test_pyarrow_reads_what_is_written(samples: list[Sample]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.parquet")
        written(path, samples)
        assert pq.read_table(path).to_pylist() == rows_of(samples)


@settings(deadline=None)
@given(SAMPLES)
def test_what_pyarrow_writes_is_read(samples: list[Sample]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.parquet")
        pq.write_table(pa.Table.from_pylist(rows_of(samples), hub_parquet.schema(NAMES)), path, row_group_size=7)
        found = [
            Sample(bytes(it.image), it.path, it.label, [tuple(box) for box in it.boxes])
            for it in hub_parquet.read_samples(path, 3)
        ]
        assert found == samples


def images(count: int, nbytes: int) -> list[Sample]:
    """Images that no compression makes smaller."""
    content = np.random.default_rng(1)
    return [Sample(content.bytes(nbytes), f"{number}.JPEG", number % 3, []) for number in range(count)]


def test_images_are_neither_compressed_nor_in_a_dictionary_and_all_else_is(tmp_path: Path) -> None:
    group = written(tmp_path / "file", images(50, 2000)).row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    image = columns.pop("image.bytes")
    assert (image.compression, image.dictionary_page_offset) == ("UNCOMPRESSED", None)
    assert columns.keys() == {
        "image.path",
        "label",
        "objects.bbox.list.element.list.element",
        "objects.category.list.element",
    }
    assert {column.compression for column in columns.values()} == {"SNAPPY"}


def test_row_groups_have_about_100_mb_and_pages_an_index(tmp_path: Path) -> None:
    found = written(tmp_path / "file", images(25, 9_000_000))
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [12, 12, 1]
    assert found.row_group(0).column(0).has_offset_index
    assert found.row_group(0).column(2).has_column_index


def test_pages_are_cut_by_content_so_that_a_row_more_leaves_most_as_they_are(tmp_path: Path) -> None:
    samples = images(100, 150_000)
    written(tmp_path / "one", samples)
    written(tmp_path / "two", samples[1:])
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    # The header of each page has its length alone: what is between two cuts is there again as it was.
    parts = [one[at : at + 100_000] for at in range(1_000_000, len(one) - 200_000, 1_000_000)]
    assert sum(part in two for part in parts) > 0.5 * len(parts) > 5


def test_what_the_columns_mean_stands_in_the_metadata_and_in_the_card() -> None:
    about = json.loads(hub_parquet.schema(NAMES).metadata[b"huggingface"])["info"]["features"]
    assert about["image"] == {"_type": "Image"}
    assert about["label"] == {"_type": "ClassLabel", "names": NAMES}
    card = hub_parquet.card(NAMES, {"train": (3, 100), "test": (1, 40)}, "A title")
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["configs"][0]["data_files"] == [
        {"split": "train", "path": "data/train-*"},
        {"split": "test", "path": "data/test-*"},
    ]
    assert front["dataset_info"]["features"][1]["dtype"]["class_label"]["names"] == dict(zip("012", NAMES, strict=True))
    assert front["dataset_info"]["splits"][0] == {"name": "train", "num_bytes": 100, "num_examples": 3}
    assert front["dataset_info"]["dataset_size"] == 140


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, images(9, 5_000_000))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("columns", [["label"], ["image", "objects", "label"]])
def test_a_table_of_something_else_is_refused(columns: list[str], tmp_path: Path) -> None:
    written(tmp_path / "file", images(2, 10))
    pq.write_table(pq.read_table(tmp_path / "file").select(columns), tmp_path / "other")
    with pytest.raises(ValueError, match="columns"):
        list(hub_parquet.read_samples(tmp_path / "other"))
