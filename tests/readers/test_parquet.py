"""Hugging Face's datasets, pandas and DuckDB read the Parquet files of images."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from datasets import Features, Image, load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from imagenet_prep.formats import hub_parquet
from project import Project
from readers.reading import SIDES, Reading
from readers.snippets import run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def undecoded(dataset: Any) -> Any:
    return dataset.cast_column("image", Image(decode=False))


def expect_all(reading: Reading, rows: list[dict[str, Any]]) -> None:
    """The rows are all images of the split, each with its bytes, label and boxes."""
    images = reading.found([row["image"]["path"] for row in rows])
    for image, row in zip(images, rows, strict=True):
        assert image.is_content(row["image"]["bytes"]), image.filename
        assert row["label"] == image.index
        assert np.array_equal(np.array(row["objects"]["bbox"], np.float32).reshape(-1, len(SIDES)), image.boxes)
        assert list(row["objects"]["category"]) == [image.index] * len(image.boxes)


def test_the_readmes_code_loads_every_image_with_its_label_and_boxes(reading: Reading) -> None:
    dataset = run("Hugging Face, Parquet", reading.split)["dataset"]
    expect_all(reading, list(undecoded(dataset)))
    images = reading.found([row["image"]["path"] for row in undecoded(dataset)])
    assert images[0].looks_like(np.asarray(dataset[0]["image"].convert("RGB")))
    assert dataset.features["label"].int2str(images[-1].index).startswith(images[-1].words)


def test_the_names_of_the_classes_are_their_words_by_index(reading: Reading) -> None:
    names = load_dataset("results/parquet", split=reading.split).features["label"].names
    assert len(set(names)) == len(names)
    for index, words in zip(reading.classes["class_index"], reading.classes["words"], strict=True):
        assert names[index] in (words, f"{words}2")  # the cranes that are machines, as on the Hub


def test_any_row_is_read_alone(reading: Reading) -> None:
    dataset = undecoded(load_dataset("results/parquet", split=reading.split))
    for number in (len(dataset) - 1, 0, len(dataset) // 2):
        row = dataset[number]
        image = reading.images[row["image"]["path"]]
        assert (row["label"], image.is_content(row["image"]["bytes"])) == (image.index, True)


def test_the_readmes_stream_shares_out_every_image_once(reading: Reading) -> None:
    loader = run("Hugging Face, streaming", reading.split)["loader"]
    labels = sorted(int(row["label"]) for row in loader)
    assert labels == sorted(image.index for image in reading.images.values())


def test_streamed_every_image_is_there(reading: Reading) -> None:
    expect_all(reading, list(undecoded(load_dataset("results/parquet", split=reading.split, streaming=True))))


def test_a_stream_goes_on_where_it_was(reading: Reading) -> None:
    stream = undecoded(load_dataset("results/parquet", split=reading.split, streaming=True))
    first = []
    for row in stream:
        first.append(row)
        if len(first) == len(reading.images) // 2:
            state = stream.state_dict()
            break
    again = undecoded(load_dataset("results/parquet", split=reading.split, streaming=True))
    again.load_state_dict(state)
    expect_all(reading, [*first, *again])


def test_pytorch_batches_them(reading: Reading) -> None:
    dataset = load_dataset("results/parquet", split=reading.split).select_columns(["label"]).with_format("torch")
    labels = [label for batch in DataLoader(dataset, batch_size=7, num_workers=2) for label in batch["label"].tolist()]
    assert sorted(labels) == sorted(image.index for image in reading.images.values())


def test_all_splits_are_there_the_test_set_without_labels(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    found = load_dataset("results/parquet")
    images = pd.read_parquet("results/tables/images.parquet")
    counts = images[images.split != "train_t3"].groupby("split").size()
    assert {split: len(dataset) for split, dataset in found.items()} == counts.to_dict()
    assert set(found["test"]["label"]) == {-1}
    assert {row["path"] for row in undecoded(found["test"])["image"]} == set(images[images.split == "test"].filename)


def test_the_card_and_the_files_have_the_same_features(demo: Project, tmp_path: Path) -> None:
    files = sorted((demo.results / "parquet" / "data").glob("train-*"))
    features = Features.from_arrow_schema(pq.read_schema(files[0]))
    copy = tmp_path / "without the card"
    copy.mkdir()
    for file in files:
        shutil.copy(file, copy)
    assert load_dataset(str(copy), split="train").features == features
    assert load_dataset(str(demo.results / "parquet"), split="train").features == features


def test_pandas_reads_the_labels_alone(reading: Reading) -> None:
    labels = run("pandas, Parquet", reading.split)["labels"]
    assert [image.index for image in reading.found(list(labels["path"]))] == list(labels["label"])


def test_duckdb_reads_every_image(reading: Reading) -> None:
    rows = run("DuckDB, Parquet", reading.split)["encoded"].fetchall()
    images = reading.found([name for name, *_ in rows])
    for image, (_, label, encoded, boxes) in zip(images, rows, strict=True):
        assert (label, image.is_content(encoded)) == (image.index, True)
        assert np.array_equal(np.array(boxes, np.float32).reshape(-1, len(SIDES)), image.boxes)


ROWS = st.lists(
    st.tuples(st.binary(min_size=1, max_size=200), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=15)
@given(ROWS)
def test_what_the_library_writes_is_read(rows: list[tuple[bytes, int, int]]) -> None:
    box = [0.0, 0.25, 0.5, 1.0]
    content = {
        "image": [{"bytes": content, "path": f"{number}.JPEG"} for number, (content, _, _) in enumerate(rows)],
        "label": [label for _, label, _ in rows],
        "objects": [{"bbox": [box] * boxes, "category": [label] * boxes} for _, label, boxes in rows],
    }
    features = Features.from_arrow_schema(hub_parquet.schema(["a", "b"]))
    output = io.BytesIO()
    datasets.Dataset.from_dict(content, features=features).to_parquet(output)
    output.seek(0)
    found = [(bytes(it.image), it.label, len(it.boxes)) for it in hub_parquet.read_samples(output)]
    assert found == rows


@settings(deadline=None, max_examples=15)
@given(ROWS)
def test_the_library_reads_what_is_written(rows: list[tuple[bytes, int, int]]) -> None:
    samples = [
        hub_parquet.Sample(content, f"{number}.JPEG", label, [[0.0, 0.25, 0.5, 1.0]] * boxes)
        for number, (content, label, boxes) in enumerate(rows)
    ]
    output = io.BytesIO()
    hub_parquet.write_samples(output, samples, hub_parquet.schema(["a", "b"]))
    dataset = undecoded(datasets.Dataset(pq.read_table(io.BytesIO(output.getvalue()))))
    found = [(row["image"]["bytes"], row["label"], len(row["objects"]["bbox"])) for row in dataset]
    assert found == rows
