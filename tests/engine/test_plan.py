"""The plan of the records: a permutation that follows from names and seed, even shards, boxes joined by name."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.engine import plan as planning
from imagenet_prep.engine.images import IMAGES
from imagenet_prep.engine.plan import boundaries, permutation, write_plan
from imagenet_prep.errors import PrepError

CLASSES = pa.table(
    {
        "class_index": pa.array([0, 7], pa.int32()),
        "wnid": ["n02012849", "n02119789"],
        "words": ["crane", "kit fox, Vulpes macrotis"],
    }
)
Row = dict[str, Any]


def images(path: Path, n: int, **changed: Any) -> Path:
    rows = [
        {
            "split": "train",
            "filename": f"n{number:03d}.JPEG",
            "wnid": CLASSES["wnid"][number % 2].as_py(),
            "class_index": CLASSES["class_index"][number % 2].as_py(),
            "archive": "train.tar",
            "offset": 512 * number,
            "length": 100 + number,
            "width": 10,
            "height": 20,
            "channels": 3,
            "format": "JPEG",
            "colorspace": "RGB",
            "crc32c": number,
            **changed,
        }
        for number in range(n)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=IMAGES), path)
    return path


def boxes(path: Path, rows: list[Row]) -> Path:
    side = {"xmin": 0.1, "ymin": 0.2, "xmax": 0.3, "ymax": 0.4}
    pq.write_table(pa.Table.from_pylist([{**side, "usable": True, **row} for row in rows]), path)
    return path


def plan(folder: Path, n: int, box_rows: list[Row] | None = None, **how: Any) -> list[list[Row]]:
    """The rows of each shard."""
    table = images(folder / "images.parquet", n)
    joined = None if box_rows is None else boxes(folder / "boxes.parquet", box_rows)
    settings = {"key": "tfrecord.train_shards", "shards": 4, "seed": 12345, "label_base": 1, **how}
    write_plan(table, joined, CLASSES, output=folder / "plan.parquet", **settings)
    file = pq.ParquetFile(folder / "plan.parquet")
    return [file.read_row_group(shard).to_pylist() for shard in range(file.num_row_groups)]


def rows_of(shards: list[list[Row]]) -> list[Row]:
    return list(itertools.chain.from_iterable(shards))


@given(st.integers(0, 300), st.integers(0, 1 << 40))
def test_the_order_is_a_permutation(n: int, seed: int) -> None:
    assert sorted(permutation(n, seed).tolist()) == list(range(n))


@given(st.integers(2, 300), st.integers(0, 1 << 40))
def test_the_order_follows_from_the_seed(n: int, seed: int) -> None:
    assert np.array_equal(permutation(n, seed), permutation(n, seed))


def test_another_seed_gives_another_order() -> None:
    assert not np.array_equal(permutation(1000, 1), permutation(1000, 2))


def test_the_order_stays_the_same_over_versions_of_this_program() -> None:
    assert permutation(10, 12345).tolist() == [8, 7, 3, 5, 1, 2, 9, 4, 0, 6]


@given(st.integers(1, 2000), st.integers(1, 200))
def test_shards_are_even_within_one_and_cover_everything(n: int, shards: int) -> None:
    edges = boundaries(n, shards)
    sizes = np.diff(edges)
    assert (edges[0], edges[-1], len(sizes)) == (0, n, shards)
    assert sizes.max() - sizes.min() <= 1


def test_every_image_is_in_one_shard_once(tmp_path: Path) -> None:
    shards = plan(tmp_path, 30)
    assert sorted(row["filename"] for shard in shards for row in shard) == [
        f"n{number:03d}.JPEG" for number in range(30)
    ]


def test_a_row_group_is_a_shard(tmp_path: Path) -> None:
    assert [len(shard) for shard in plan(tmp_path, 30, shards=7)] == [4, 4, 4, 5, 4, 4, 5]


def test_the_number_of_shards_does_not_change_the_order(tmp_path: Path) -> None:
    few, many = (rows_of(plan(tmp_path, 30, shards=shards)) for shards in (1, 9))
    assert few == many


def test_nothing_but_names_and_seed_decides_the_order(tmp_path: Path) -> None:
    orders = []
    for changed in ({}, {"offset": 7, "length": 1, "archive": "other.tar", "crc32c": 5, "colorspace": "CMYK"}):
        table = images(tmp_path / "images.parquet", 30, **changed)
        output = tmp_path / "plan.parquet"
        write_plan(table, None, CLASSES, key="", shards=3, seed=1, label_base=1, output=output)
        orders.append(pq.read_table(output)["filename"].to_pylist())
    assert orders[0] == orders[1]


def test_two_plans_are_the_same_bytes(tmp_path: Path) -> None:
    plans = []
    for _ in range(2):
        plan(tmp_path, 30, [{"filename": "n003.JPEG"}])
        plans.append((tmp_path / "plan.parquet").read_bytes())
    assert plans[0] == plans[1]


@pytest.mark.parametrize(("label_base", "labels"), [(0, {0, 7}), (1, {1, 8})])
def test_labels_begin_where_the_configuration_says(tmp_path: Path, label_base: int, labels: set[int]) -> None:
    rows = rows_of(plan(tmp_path, 8, label_base=label_base))
    assert {row["label"] for row in rows} == labels


def test_the_text_is_the_words_of_the_class(tmp_path: Path) -> None:
    words = dict(zip(CLASSES["wnid"].to_pylist(), CLASSES["words"].to_pylist(), strict=True))
    assert all(row["text"] == words[row["wnid"]] for row in rows_of(plan(tmp_path, 8)))


def test_boxes_are_joined_by_name_in_the_order_of_their_xml(tmp_path: Path) -> None:
    rows = [
        {"filename": "n005.JPEG", "xmin": 0.9},
        {"filename": "n002.JPEG", "xmin": 0.5},
        {"filename": "n005.JPEG", "xmin": 0.1},
        {"filename": "n005.JPEG", "xmin": 0.4},
    ]
    lists = {row["filename"]: row["xmin"] for row in rows_of(plan(tmp_path, 8, rows))}
    assert lists == {f"n{number:03d}.JPEG": [] for number in range(8)} | {
        "n005.JPEG": [0.9, 0.1, 0.4],
        "n002.JPEG": [0.5],
    }


def test_boxes_that_are_not_usable_are_left_out(tmp_path: Path) -> None:
    rows = [{"filename": "n001.JPEG", "usable": False}, {"filename": "n001.JPEG", "xmin": 0.25}]
    assert [row["xmin"] for row in rows_of(plan(tmp_path, 4, rows)) if row["xmin"]] == [[0.25]]


def test_boxes_of_images_that_are_not_in_the_split_are_left_out(tmp_path: Path) -> None:
    assert not any(row["xmin"] for row in rows_of(plan(tmp_path, 4, [{"filename": "n999.JPEG"}])))


def test_the_four_sides_belong_together(tmp_path: Path) -> None:
    box = {"xmin": 0.125, "ymin": 0.25, "xmax": 0.5, "ymax": 0.75}
    (row,) = [row for row in rows_of(plan(tmp_path, 4, [{"filename": "n001.JPEG", **box}])) if row["xmin"]]
    assert {side: row[side] for side in box} == {side: [value] for side, value in box.items()}


def test_without_boxes_the_lists_are_empty(tmp_path: Path) -> None:
    rows = rows_of(plan(tmp_path, 4))
    assert all(row[side] == [] for row in rows for side in ("xmin", "ymin", "xmax", "ymax"))


def test_as_many_shards_as_images_hold_one_each(tmp_path: Path) -> None:
    assert [len(shard) for shard in plan(tmp_path, 4, shards=4)] == [1, 1, 1, 1]


@pytest.mark.parametrize("key", ["tfrecord.train_shards", "tfrecord.validation_shards"])
def test_more_shards_than_images_are_an_error_that_names_the_key(key: str, tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=key) as caught:
        plan(tmp_path, 4, key=key, shards=5)
    assert "5 shards" in caught.value.problem
    assert "4 images" in caught.value.problem
    assert not (tmp_path / "plan.parquet").exists()


@pytest.mark.parametrize("at_a_time", [1, 3, 7, 1000])
def test_the_size_of_gathering_is_no_matter(tmp_path: Path, at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    box_rows = [{"filename": f"n{number:03d}.JPEG", "xmin": number / 100} for number in (3, 1, 3, 20)]
    wanted = plan(tmp_path, 23, box_rows)
    monkeypatch.setattr(planning, "_IMAGES_AT_A_TIME", at_a_time)
    assert plan(tmp_path, 23, box_rows) == wanted
    assert sum(len(row["xmin"]) for row in rows_of(wanted)) == len(box_rows)
