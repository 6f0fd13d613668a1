"""Receipts: what they are called, what they say, and whether what they name lies there as it was made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.outputs import BATCHES, NEW, OLD, folder, put, written
from imagenet_prep.engine import receipts
from imagenet_prep.engine.inventory import Inventory
from imagenet_prep.engine.receipts import Name, described, digest, load, names, table, unchanged
from imagenet_prep.errors import PrepError

TREE = "imagefolder/train/n01440764"
FILES = ["a.JPEG", "b.JPEG"]
DAMAGED = ["", "{", "[]", "null", '"text"', "\x00"]


# What they are called


@pytest.mark.parametrize("subject", ["all", "train_t3", BATCHES[0], "tfrecord-train", "model.v2"])
def test_a_name_is_read_back(subject: str) -> None:
    name = Name(subject, NEW, 12)
    assert Name.parse(str(name)) == name


@pytest.mark.parametrize(
    "other",
    [
        "train.json",
        "receipt.json",
        f"train.{OLD}.json",
        f"train.{OLD}.1.parquet",
        f"train.{OLD}.1.json.bak",
        f"train.{OLD[1:]}.1.json",
        f"train.{OLD.upper().replace('0', 'G')}.1.json",
        f".{OLD}.1.json",
        "made-up.unfinished.json",
    ],
)
def test_names_that_are_no_receipts_are_passed_over(tmp_path: Path, other: str) -> None:
    written(tmp_path / other)
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_has_no_receipts(tmp_path: Path) -> None:
    assert names(tmp_path / "none") == names(written(tmp_path / "file")) == []


@pytest.mark.parametrize(("subject", "split"), [(BATCHES[0], "train"), ("validation", "validation"), ("all", "all")])
def test_a_batch_is_of_a_split_and_all_else_of_itself(subject: str, split: str) -> None:
    assert Name(subject, NEW, 1).split == split


def test_a_digest_has_ten_digits_and_does_not_depend_on_the_order_of_keys() -> None:
    assert digest("step", {"a": 1, "b": [None, "é"]}) == digest("step", {"b": [None, "é"], "a": 1})
    assert Name.parse(f"train.{digest('step')}.1.json")


def test_other_values_have_other_digests() -> None:
    values: list[Any] = [
        1,
        "1",
        True,
        None,
        1.5,
        [1],
        [[1]],
        {"a": 1},
        {"a": None},
        {"a": [1, 2]},
        {"a": [2, 1]},
        "é",
        "",
    ]
    assert len({digest(value) for value in values}) == len(values)


def test_a_table_is_named_after_its_receipt(tmp_path: Path) -> None:
    receipt = tmp_path / f"train.{NEW}.1.json"
    assert table(receipt) == tmp_path / f"train.{NEW}.1.parquet"
    assert table(str(receipt), "synsets.parquet") == tmp_path / f"train.{NEW}.1.synsets.parquet"


# What they say


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_receipt_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    receipt = written(tmp_path / f"all.{NEW}.1.json", content)
    with pytest.raises(PrepError, match=r"damaged.*run the same command again") as caught:
        load(receipt)
    assert caught.value.place == str(receipt)


def test_a_missing_receipt_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"missing.*Run the same command again"):
        load(tmp_path / f"all.{NEW}.1.json")


@pytest.fixture(params=["tables/images.parquet", f"state/images/train.{NEW}.1.parquet"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A product, or a table between steps, as it was made; and its receipt."""
    path = written(tmp_path / request.param, "as it was made")
    return path, put(tmp_path, "images", "train", NEW, files=described(tmp_path, [path]))


def test_a_file_is_described_by_its_size_and_a_checksum(tmp_path: Path) -> None:
    path = written(tmp_path / "labels" / "classes.csv", "123456789")
    sha256 = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
    assert described(tmp_path, [path]) == {"labels/classes.csv": {"bytes": 9, "sha256": sha256}}


def test_a_table_that_each_job_reads_is_described_by_the_quicker_checksum(tmp_path: Path) -> None:
    path = written(tmp_path / "state" / "images" / "train.parquet", "123456789")
    assert described(tmp_path, [path]) == {"state/images/train.parquet": {"bytes": 9, "crc32c": "e3069283"}}


def test_a_file_as_it_was_made_is_read(made: tuple[Path, Path]) -> None:
    path, receipt = made
    assert unchanged(receipt, path) == path


@pytest.mark.parametrize("content", ["as it was mode", "as it was", ""], ids=["same size", "shorter", "empty"])
def test_an_edited_file_is_an_error_that_says_what_to_do(made: tuple[Path, Path], content: str) -> None:
    path, receipt = made
    path.write_text(content)
    with pytest.raises(PrepError, match=r"not as it was made.*Delete it and run the same command again") as caught:
        unchanged(receipt, path)
    assert caught.value.place == str(path)


def test_a_deleted_file_is_an_error_that_says_what_to_do(made: tuple[Path, Path]) -> None:
    path, receipt = made
    path.unlink()
    with pytest.raises(PrepError, match="Run the same command again") as caught:
        unchanged(receipt, path)
    assert caught.value.place == str(path)


def test_what_else_a_receipt_says_of_a_file_is_not_compared(tmp_path: Path) -> None:
    path = written(tmp_path / "tfrecord_index" / "train-00000-of-00001", "0 16\n")
    files = described(tmp_path, [path])
    files["tfrecord_index/train-00000-of-00001"]["records"] = 1
    assert unchanged(put(tmp_path, "tfrecord_index", BATCHES[0], files=files), path) == path


# What lies there


def is_whole(output: Path, **body: Any) -> bool:
    put(output, "imagefolder", BATCHES[0], **body)
    return Inventory(output).is_whole("imagefolder", BATCHES[0], OLD)


def test_the_number_is_that_of_the_newest_receipt_of_a_digest(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        put(tmp_path, "images", "train", OLD, number)
    found = Inventory(tmp_path)
    assert [found.number("images", "train", it) for it in (OLD, NEW)] == [10, 0]
    assert found.number("images", "validation", OLD) == 0


def test_the_body_is_that_of_the_newest_receipt(tmp_path: Path) -> None:
    for number in (9, 10):
        put(tmp_path, "images", "train", OLD, number, images=number)
    assert Inventory(tmp_path).body("images", "train", OLD) == {"images": 10}


def test_there_is_no_body_where_there_is_no_receipt(tmp_path: Path) -> None:
    assert Inventory(tmp_path / "none").body("images", "train", OLD) is None


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_receipt_has_no_body_and_is_of_nothing_whole(tmp_path: Path, content: str) -> None:
    written(put(tmp_path, "images", "train", OLD, 2), content)
    put(tmp_path, "images", "train", OLD, 1)
    found = Inventory(tmp_path)
    assert found.body("images", "train", OLD) is None
    assert not found.is_whole("images", "train", OLD)


@pytest.mark.parametrize("body", [{"files": 5}, {"files": None}, {"folders": ["a"]}, {"folders": {".": {}}}])
def test_a_receipt_that_names_nothing_sensible_is_of_nothing_whole(tmp_path: Path, body: dict[str, Any]) -> None:
    assert not is_whole(tmp_path, **body)


def test_files_are_whole_while_all_are_there(tmp_path: Path) -> None:
    paths = [written(tmp_path / name) for name in ("tfrecord/one", "tfrecord/two")]
    files: dict[str, Any] = {"tfrecord/one": {}, "tfrecord/two": {}}
    assert is_whole(tmp_path, files=files)
    paths[1].unlink()
    assert not is_whole(tmp_path, files=files)


def test_a_folder_in_the_place_of_a_file_is_not_it(tmp_path: Path) -> None:
    (tmp_path / "tfrecord" / "one").mkdir(parents=True)
    assert not is_whole(tmp_path, files={"tfrecord/one": {}})


@pytest.mark.parametrize("path", [TREE, "imagefolder/test"])
def test_a_folder_is_whole_while_all_that_was_made_in_it_is_there(tmp_path: Path, path: str) -> None:
    folders = folder(tmp_path, path, FILES)
    written(tmp_path / path / "notes.txt")
    assert is_whole(tmp_path, folders=folders)
    (tmp_path / path / FILES[0]).unlink()
    assert not is_whole(tmp_path, folders=folders)


def test_a_folder_that_has_not_changed_since_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = folder(tmp_path, TREE, FILES)

    def search(*_: object) -> None:
        raise AssertionError("a thousand folders of thousands of files each")

    monkeypatch.setattr(receipts, "ledger", search)
    assert is_whole(tmp_path, folders=folders)


def test_a_copied_folder_is_whole_by_its_ledger(tmp_path: Path) -> None:
    folders = folder(tmp_path, TREE, FILES)
    os.utime(tmp_path / TREE, (1, 1))
    assert is_whole(tmp_path, folders=folders)


@pytest.mark.parametrize("by", ["nothing", "a file"])
def test_a_folder_that_is_gone_is_not_whole(tmp_path: Path, by: str) -> None:
    folders = folder(tmp_path, TREE, FILES)
    shutil.rmtree(tmp_path / TREE)
    if by == "a file":
        written(tmp_path / TREE)
    assert not is_whole(tmp_path, folders=folders)


def test_what_lies_there_is_looked_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "tfrecord" / "one")
    put(tmp_path, "tfrecord", BATCHES[0], files={"tfrecord/one": {}})
    found = Inventory(tmp_path)
    answers = []
    for _ in range(2):
        answers.append((found.number("tfrecord", BATCHES[0], OLD), found.is_whole("tfrecord", BATCHES[0], OLD)))
        path.unlink(missing_ok=True)
        put(tmp_path, "tfrecord", BATCHES[0], number=2)
    assert answers == [(1, True)] * 2
