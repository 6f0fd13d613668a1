"""Multi-label annotations: what is read from the JSON, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_prep.datasets import human_accuracy
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet

FOX, CRANE, ANT = "n02119789", "n02012849", "n02219486"
CLASSES = pa.table({"wnid": [CRANE, FOX, ANT], "class_index": [0, 1, 2]})
VALIDATION = pa.table({"filename": ["v1", "v2", "v3"], "class_index": [2, 0, 1]})


def document(annotations: Any, problematic: Any = None, imagenet_m: Any = (), **more: Any) -> bytes:
    keys = {"initial_annots": annotations, "problematic_images": problematic or {}, "imagenet_m": imagenet_m}
    return json.dumps({**more, **keys}).encode()


def read(
    folder: Path, content: bytes, *, validation: pa.Table = VALIDATION, classes: pa.Table = CLASSES
) -> list[dict[str, Any]]:
    path = folder / "human_accuracy.json"
    path.write_bytes(content)
    table = human_accuracy.read_multilabel(path, validation, classes, {FOX, CRANE, ANT})
    assert table.schema == human_accuracy.MULTILABEL
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def fails(folder: Path, content: bytes) -> PrepError:
    with pytest.raises(PrepError) as caught:
        read(folder, content)
    assert caught.value.place == str(folder / "human_accuracy.json")
    assert "\n" not in str(caught.value)
    return caught.value


def test_an_annotated_image_becomes_a_row(tmp_path: Path) -> None:
    labels = {"correct": [FOX, CRANE], "wrong": [ANT], "unclear": [CRANE]}
    assert read(tmp_path, document({"v1": labels}, {"v1": "it is a drawing"}, ["v1"])) == [
        {
            "file_name": "v1",
            "original_label": 2,
            "correct_multi_labels": [1, 0],
            "wrong_multi_labels": [2],
            "unclear_multi_labels": [0],
            "is_problematic": True,
            "imagenet_m": True,
        }
    ]


def test_missing_kinds_of_labels_are_empty_lists(tmp_path: Path) -> None:
    (row,) = read(tmp_path, document({"v1": {}}))
    assert [row[f"{kind}_multi_labels"] for kind in ("correct", "wrong", "unclear")] == [[], [], []]
    assert (row["is_problematic"], row["imagenet_m"]) == (False, False)


def test_rows_are_in_image_order_and_only_of_annotated_images(tmp_path: Path) -> None:
    assert [row["file_name"] for row in read(tmp_path, document({"v3": {}, "v1": {}}))] == ["v1", "v3"]


def test_names_that_are_no_validation_images_are_left_out_unread(tmp_path: Path) -> None:
    content = document({"imagenet_v2/7.jpg": {"correct": "n0", "wrong": [[]]}, "v1": {}}, {"else": [1]}, ["where"])
    assert [row["file_name"] for row in read(tmp_path, content)] == ["v1"]


def test_other_keys_are_passed_over_wherever_they_are(tmp_path: Path) -> None:
    other = {"predictions": [{"v1": [1, -2.5e300, None, True, "x", 10**30, {"deep": [[]]}]}]}
    labels = {"checked": {"by": ["me"]}, "correct": [FOX]}
    (row,) = read(tmp_path, document({"v1": labels}, a=other, b=1, c=[]))
    assert row["correct_multi_labels"] == [1]


def test_the_keys_may_come_in_any_order(tmp_path: Path) -> None:
    content = (
        b'{"imagenet_m": ["v1"], "problematic_images": {"v1": null}, "x": 0, "initial_annots": {"v1": {}}, "y": 0}'
    )
    (row,) = read(tmp_path, content)
    assert (row["is_problematic"], row["imagenet_m"]) == (True, True)


def test_a_subset_has_its_images_and_its_labels_only(tmp_path: Path) -> None:
    content = document({"v1": {"correct": [ANT]}, "v3": {"correct": [ANT, FOX], "wrong": [CRANE]}})
    subset, images = pa.table({"wnid": [FOX], "class_index": [0]}), pa.table({"filename": ["v3"], "class_index": [0]})
    (row,) = read(tmp_path, content, validation=images, classes=subset)
    assert (row["file_name"], row["original_label"]) == ("v3", 0)
    assert (row["correct_multi_labels"], row["wrong_multi_labels"]) == ([0], [])


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "human_accuracy.json"
    path.write_bytes(document({"v1": {"correct": [FOX]}, "v2": {}}))
    table = human_accuracy.read_multilabel(path, VALIDATION, CLASSES, {FOX, CRANE, ANT})
    parquet.write(table, tmp_path / "tables" / "multilabel.parquet")
    assert pq.ParquetFile(tmp_path / "tables" / "multilabel.parquet").read().equals(table)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[]", "at the top level, an array stands where an object should"),
        (b"3", "at the top level, a number stands where an object should"),
        (b"{}", "at the top level, it has no initial_annots, problematic_images, imagenet_m"),
        (b'{"initial_annots": {}, "problematic_images": {}}', "it has no imagenet_m"),
        (document([]), "at initial_annots, an array"),
        (document({"v1": [FOX]}), "at initial_annots.v1, an array"),
        (document({"v1": {"correct": FOX}}), "at initial_annots.v1.correct, a string stands where an array should"),
        (document({"v1": {"wrong": None}}), "at initial_annots.v1.wrong, a null stands where an array should"),
        (document({"v1": {"correct": [FOX, 7]}}), "at initial_annots.v1.correct[1], a number stands where a name"),
        (document({"v1": {"correct": [[FOX]]}}), "at initial_annots.v1.correct[0], an array stands where a name"),
        (document({"v1": {"unclear": ["n0"]}}), "at initial_annots.v1.unclear[0], 'n0' is no class"),
        (document({"v1": {"correct": ["kit\nfox"]}}), r"'kit\\nfox' is no class"),
        (document({}, [1]), "at problematic_images, an array"),
        (document({}, None, {"v1": 1}), "at imagenet_m, an object"),
        (document({}, None, ["v1", None]), "at imagenet_m[1], a null"),
        (document({}, other=json.loads("[" * 50 + "]" * 50)), "at other, values are nested more than 16 deep"),
        (document({"x\ny": json.loads("[" * 50 + "]" * 50)}), r"at initial_annots.x\ny, values are nested"),
        (b'{"imagenet_m": [], "imagenet_m": []}', "at the top level, the key 'imagenet_m' is there twice"),
        (b'{"initial_annots": {"v1": {}, "v1": {}}}', "at initial_annots, the key 'v1' is there twice"),
    ],
)
def test_json_of_another_shape_is_an_error_that_names_the_path(tmp_path: Path, content: bytes, problem: str) -> None:
    assert problem.replace(r"\\n", r"\n") in fails(tmp_path, content).problem


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        (b"<html></html>", 0),
        (b"\x1f\x8b\x08compressed", 0),
        (b'{"a": xx}', 6),
        (b'{"a": [1,]}', 9),
        (b'{"a": NaN}', 6),
        (b'{"a": "\xff"}', 7),
        (document({}) + b" {}", len(document({})) + 1),
        (b'{"a": ' + b"9" * 5000 + b"}", 5006),
        (document({}, filler="x" * 200_000)[:-1] + b"]", len(document({}, filler="x" * 200_000)) - 1),
    ],
)
def test_malformed_json_is_an_error_that_names_the_byte(tmp_path: Path, content: bytes, offset: int) -> None:
    error = fails(tmp_path, content)
    assert "malformed" in error.problem
    assert error.offset == offset


@pytest.mark.parametrize("value", [b'"' + b"x" * (3 << 20) + b'"', b"9" * (3 << 20), b" " * (3 << 20) + b"1"])
def test_a_value_of_megabytes_is_an_error_before_its_end(tmp_path: Path, value: bytes) -> None:
    error = fails(tmp_path, b'{"a": ' + value + b"}")
    assert "more than 1048576 bytes" in error.problem
    assert error.offset is not None
    assert error.offset < 2 << 20


def test_json_that_is_cut_off_anywhere_is_an_error_that_says_so(tmp_path: Path) -> None:
    content = document({"v1": {"correct": [FOX]}}, {"v2": 1}, ["v3"])
    for end in range(len(content)):
        error = fails(tmp_path, content[:end])
        assert "cut off" in error.problem
        assert error.offset == end


def test_every_flipped_byte_ends_in_rows_or_in_one_clear_error(tmp_path: Path) -> None:
    content = document({"v1": {"correct": [FOX]}, "v2": {"wrong": [ANT, CRANE]}}, {"v2": 1.5}, ["v3"])
    for position in range(len(content)):
        for mask in (0x01, 0x20, 0x80):
            broken = bytearray(content)
            broken[position] ^= mask
            try:
                read(tmp_path, bytes(broken))
            except PrepError as error:
                assert "\n" not in str(error)


def test_the_real_annotations_agree_with_the_real_labels(tmp_path: Path, shared_data: Path) -> None:
    real = read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")
    classes = select_classes(real.synsets, None, "original")
    wnids = classes["wnid"].to_pylist()
    with (shared_data / "multilabel_first1000.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    columns = {"correct": "proposed_labels", "wrong": "wrong_multi_labels", "unclear": "unclear_multi_labels"}

    def indices(row: dict[str, str], kind: str) -> list[int]:
        return [int(label) for label in row[columns[kind]].split(", ") if label]

    annotations = {
        row["id"]: {kind: [wnids[i] for i in indices(row, kind)] for kind in columns if indices(row, kind)}
        for row in reversed(published)
    }
    path = tmp_path / "human_accuracy.json"
    path.write_bytes(document(annotations, {row["id"]: "" for row in published if row["is_problematic"] == "True"}))
    validation = validation_labels(real.ground_truth, real.synsets, classes)
    rows = human_accuracy.read_multilabel(path, validation, classes, wnids).to_pylist()
    assert [row["file_name"] for row in rows] == [row["id"] for row in published]
    for row, original in zip(rows, published, strict=True):
        assert row["original_label"] == int(original["original_label"])
        assert row["is_problematic"] == (original["is_problematic"] == "True")
        for kind in columns:
            assert row[f"{kind}_multi_labels"] == indices(original, kind)
