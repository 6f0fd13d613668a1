"""What a job does with receipts: those that do not hold any more are gone before it writes, its own comes last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.outputs import BATCHES, NEW, OLD, job, put, written
from imagenet_prep import atomic
from imagenet_prep.engine.receipts import contents, making, remove_of_other_content
from imagenet_prep.errors import PrepError


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The receipt of a batch of two shards, which is not there yet."""
    return tmp_path / "state" / "tfrecord" / f"{BATCHES[0]}.{NEW}.1.json"


UNITS = ["tfrecord/train-00000-of-00004", "tfrecord/train-00001-of-00004"]
"""What that batch makes."""


def of(*units: str) -> dict[str, Any]:
    return {"files": {unit: {} for unit in units}}


def test_a_receipt_says_what_the_job_was_told_what_it_read_and_what_it_made(own: Path, tmp_path: Path) -> None:
    scan = put(tmp_path, "archives", "train", content="md5 1")
    with making(job(own, {"seed": 5}, ["train"], [scan]), UNITS) as made:
        made["files"] = {UNITS[0]: {"bytes": 7}}
    assert json.loads(own.read_text()) == {
        "settings": {"seed": 5},
        "archives": {"train": "md5 1"},
        "files": {UNITS[0]: {"bytes": 7}},
    }


def test_a_receipt_is_there_only_when_all_is_made(own: Path) -> None:
    with making(job(own), UNITS):
        assert not own.exists()
    assert own.exists()


@pytest.mark.parametrize("error", [ValueError, PrepError("archive", "gone", "Put it back"), KeyboardInterrupt])
@pytest.mark.parametrize("beside", [True, False])
def test_a_job_that_fails_leaves_no_receipt(own: Path, error: Any, beside: bool) -> None:
    with pytest.raises((ValueError, PrepError, KeyboardInterrupt)), making(job(own), UNITS, beside=beside):
        raise error
    assert not own.exists()


@pytest.mark.parametrize(("digest", "number"), [(OLD, 1), (NEW, 7), (NEW, 1)])
def test_no_other_receipt_of_the_same_files_is_there_meanwhile(tmp_path: Path, digest: str, number: int) -> None:
    older = put(tmp_path, "labels", "all", digest, number)
    with making(job(older.with_name(f"all.{NEW}.1.json"))):
        assert not list(older.parent.iterdir())


def test_older_receipts_are_gone_before_a_write(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "tfrecord", BATCHES[0])
    put(tmp_path, "leftovers", "tfrecord-train")
    settled: dict[str, list[str]] = {}
    monkeypatch.setattr(atomic, "sync_folder", lambda it: settled.update({it.name: os.listdir(it)}))
    with making(job(own), UNITS):
        assert settled == {"tfrecord": [], "leftovers": []}


@pytest.mark.parametrize(
    ("subject", "body", "stays"),
    [
        (BATCHES[0], of(UNITS[1]), False),
        ("train-00001-00003-of-00004", of(UNITS[1], "tfrecord/train-00002-of-00004"), False),
        ("train-00000-00007-of-00008", of(UNITS[0]), False),  # as class folders are the same, whatever their number
        ("train-00000-00007-of-00008", {"folders": {UNITS[0]: {}}}, False),
        (BATCHES[1], of("tfrecord/train-00002-of-00004"), True),
        ("train-00000-00007-of-00008", of("tfrecord/train-00000-of-00008"), True),
        ("validation-00000-00001-of-00004", of(UNITS[0]), True),
        ("train_t3-00000-00001-of-00004", of(UNITS[0]), True),
    ],
)
def test_of_a_split_s_batches_those_go_that_name_what_is_made(
    own: Path, tmp_path: Path, subject: str, body: dict[str, Any], stays: bool
) -> None:
    other = put(tmp_path, "tfrecord", subject, **body)
    with making(job(own), UNITS):
        assert other.exists() is stays


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"files": 5}', '{"folders": null}'])
def test_a_batch_goes_of_which_nobody_can_say_what_it_is_about(own: Path, tmp_path: Path, damaged: str) -> None:
    other = written(put(tmp_path, "tfrecord", BATCHES[1]), damaged)
    with making(job(own), UNITS):
        assert not other.exists()


def test_that_nothing_else_lies_there_is_claimed_no_more_of_the_split_alone(own: Path, tmp_path: Path) -> None:
    void = put(tmp_path, "leftovers", "tfrecord-train")
    others = [
        put(tmp_path, "leftovers", it) for it in ("tfrecord-validation", "tfrecord_index-train", "tfrecord-train_t3")
    ]
    with making(job(own), UNITS):
        assert not void.exists()
        assert all(other.exists() for other in others)


def test_what_is_no_receipt_is_left_alone(own: Path, tmp_path: Path) -> None:
    others = [own.with_name(name) for name in ("train.json", "notes.txt", f"{BATCHES[0]}.{OLD}.1.parquet")]
    for other in others:
        written(other)
    with making(job(own), UNITS):
        pass
    assert all(other.exists() for other in others)


# Files that are named after their receipts


def test_tables_named_after_their_receipts_stay_until_the_new_one_is_there(tmp_path: Path) -> None:
    older = put(tmp_path, "images", "train")
    tables = [written(older.with_suffix(kind)) for kind in (".parquet", ".synsets.parquet")]
    with making(job(older.with_name(f"train.{NEW}.1.json")), beside=True):
        assert all(path.exists() for path in (older, *tables))
    assert [path.name for path in older.parent.iterdir()] == [f"train.{NEW}.1.json"]


def test_tables_of_other_subjects_stay(tmp_path: Path) -> None:
    others = [put(tmp_path, "images", it) for it in ("train_t3", "validation")]
    tables = [written(other.with_suffix(".parquet")) for other in others]
    with making(job(others[0].with_name(f"train.{NEW}.1.json")), beside=True):
        pass
    assert all(path.exists() for path in (*others, *tables))


def test_an_older_table_goes_after_its_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = put(tmp_path, "images", "train")
    table = written(older.with_suffix(".parquet"))
    seen = []
    monkeypatch.setattr(atomic, "sync_folder", lambda _: seen.append((older.exists(), table.exists())))
    with making(job(older.with_name(f"train.{NEW}.1.json")), beside=True):
        pass
    assert seen == [(False, True)]


# What archives hold


def test_all_is_disowned_that_was_made_of_another_content(tmp_path: Path) -> None:
    void = [put(tmp_path, step, "all", archives={"val": "old", "train": "any"}) for step in ("images", "report")]
    kept = [put(tmp_path, "labels", "all", archives={"val": "new"}), put(tmp_path, "boxes", "train", archives={})]
    remove_of_other_content(tmp_path / "state", "val", "new")
    assert [path.exists() for path in (*void, *kept)] == [False, False, True, True]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"archives": 5}'])
def test_what_cannot_be_read_is_not_disowned(tmp_path: Path, damaged: str) -> None:
    receipt = written(put(tmp_path, "images", "train"), damaged)
    remove_of_other_content(tmp_path / "state", "train", "new")
    assert receipt.exists()


def test_that_something_is_disowned_has_reached_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = put(tmp_path, "images", "train", archives={"train": "old"})
    settled = []
    monkeypatch.setattr(atomic, "sync_folder", settled.append)
    remove_of_other_content(tmp_path / "state", "train", "new")
    assert settled == [receipt.parent]


def test_of_an_archive_that_is_there_the_receipt_counts_that_the_job_was_given(tmp_path: Path) -> None:
    given = put(tmp_path, "archives", "train", NEW, 1, content="now")
    put(tmp_path, "archives", "train", OLD, 5, content="before")
    assert contents(tmp_path / "state", ["train"], [str(given)]) == {"train": "now"}


def test_of_an_archive_that_was_taken_away_the_newest_receipt_counts(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        put(tmp_path, "archives", "train", number=number, content=f"content {number}")
    assert contents(tmp_path / "state", ["train"], []) == {"train": "content 10"}


def test_only_archives_that_count_and_are_known_are_told_of(tmp_path: Path) -> None:
    given = [str(put(tmp_path, "archives", name, content=name)) for name in ("train", "val")]
    assert contents(tmp_path / "state", ["devkit", "val"], given) == {"val": "val"}
