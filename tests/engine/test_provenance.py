"""Which receipts a configuration asks for, given what lies there: those that hold, else the next ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.outputs import Output, numbers, written
from imagenet_prep.engine.provenance import Provenance

JOBS = {"jobs": {"imagefolder_classes": 1, "imagefolder_val_classes": 3, "tfrecord_shards": 3, "index_shards": 1}}
TRAIN = ("train", "devkit", "bbox_train")


def number(asks: Provenance, step: str, subject: str = "all") -> int:
    return numbers([asks.receipt(step, subject)])[0]


# What is made


def test_what_was_never_made_is_asked_for_as_the_first(output: Output) -> None:
    assert number(output.asks(), "labels") == 1
    assert numbers(output.asks().batches("tfrecord", "train")) == [1, 1]


def test_what_was_made_and_is_whole_is_asked_for_as_it_is(output: Output) -> None:
    assert output.make("labels") == [output.asks().receipt("labels")]
    assert output.make("tfrecord", "train") == output.asks().batches("tfrecord", "train")


def test_what_is_not_whole_any_more_is_asked_for_anew(output: Output) -> None:
    output.make("labels")
    (output.path / "labels" / "all").unlink()
    assert number(output.asks(), "labels") == 2


def test_what_was_made_anew_stands(output: Output) -> None:
    for _ in range(3):
        output.make("labels")
        (output.path / "labels" / "all").unlink()
    (receipt,) = output.make("labels")
    assert output.asks().receipt("labels") == receipt
    assert numbers([receipt]) == [4]


def test_a_damaged_receipt_is_asked_for_anew(output: Output) -> None:
    (receipt,) = output.make("labels")
    receipt.write_text("{")
    assert number(output.asks(), "labels") == 2


def test_what_another_configuration_made_is_no_answer_and_comes_back_with_it(output: Output) -> None:
    changes = {"tfrecord": {"label_base": 0}}
    before = output.make("plan", "tfrecord-train")
    output.make("plan", "tfrecord-train", changes)
    assert output.asks().receipt("plan", "tfrecord-train") == before[0]


def test_receipts_of_an_older_version_are_none(output: Output) -> None:
    written(output.path / "state" / "images" / "train.json", {})
    assert number(output.asks(), "images", "train") == 1


# Batches


def test_batches_are_of_the_configured_size(output: Output) -> None:
    subjects = [path.name.partition(".")[0] for path in output.asks(JOBS).batches("tfrecord", "train")]
    assert subjects == ["train-00000-00002-of-00004", "train-00003-00003-of-00004"]


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("product", ["imagefolder", "tfrecord", "tfrecord_index"])
def test_batches_that_were_made_stand_whatever_the_size_of_jobs(output: Output, product: str, split: str) -> None:
    made = output.make(product, split)
    assert output.asks(JOBS).batches(product, split) == made


def test_only_the_batch_that_is_not_whole_is_asked_for_anew(output: Output) -> None:
    made = output.make("tfrecord", "train")
    (output.path / "tfrecord" / "train-00002-00003-of-00004").unlink()
    asked = output.asks(JOBS).batches("tfrecord", "train")
    assert asked[0] == made[0]
    assert asked[1].name == made[1].name.replace(".1.json", ".2.json")


def test_batches_of_another_number_of_shards_do_not_stand(output: Output) -> None:
    output.make("tfrecord", "train")
    asked = output.asks({"tfrecord": {"train_shards": 3}}).batches("tfrecord", "train")
    assert [path.name.partition(".")[0] for path in asked] == [
        "train-00000-00001-of-00003",
        "train-00002-00002-of-00003",
    ]


def test_batches_of_a_split_are_not_those_of_another(output: Output) -> None:
    output.make("imagefolder", "train_t3")
    assert not any(path.exists() for path in output.asks().batches("imagefolder", "train"))


# Processes that have to give the same answers


def asked(asks: Provenance) -> list[Path]:
    """What a run may ask for."""
    return [
        asks.receipt("labels"),
        *asks.batches("tfrecord", "train"),
        asks.archive_receipt("train"),
        asks.fetched("train"),
    ]


def test_the_answers_of_another_process_count(output: Output) -> None:
    first = output.asks()
    before = asked(first)
    output.make("labels")
    output.make("tfrecord", "train", JOBS)
    os.utime(output.file("train"))
    assert asked(output.asks()) != before
    assert asked(output.asks(given=json.loads(json.dumps(first.answers)))) == before


def test_within_a_process_the_answers_stay(output: Output) -> None:
    asks = output.asks()
    before = asked(asks)
    output.make("labels")
    (output.path / "labels" / "all").unlink()
    os.utime(output.file("train"))
    assert asked(asks) == before


def test_new_answers_are_told_once(output: Output) -> None:
    asks, said = output.asks(), []
    asks.note = lambda: said.append(dict(asks.answers["numbers"]))
    asks.receipt("labels")
    asks.receipt("labels")
    assert list(said[0].values()) == [1]
    assert len(said) == 1


def test_answers_agree_while_nothing_has_changed(output: Output) -> None:
    output.make("tfrecord", "train")
    asks = output.asks()
    asked(asks)
    assert asks.agrees()


def test_a_smaller_size_of_jobs_is_no_disagreement(output: Output) -> None:
    output.make("tfrecord", "train")
    asks = output.asks(JOBS)
    asked(asks)
    assert asks.agrees()


CHANGES: dict[str, Callable[[Output], Any]] = {
    "a file is gone": lambda it: (it.path / "labels" / "all").unlink(),
    "a receipt was withdrawn": lambda it: it.asks().receipt("labels").unlink(),
    "an archive was touched": lambda it: os.utime(it.file("train")),
    "an archive is gone": lambda it: it.file("train").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_answers_disagree_when_something_has_changed(output: Output, change: Callable[[Output], Any]) -> None:
    output.make("labels")
    asks = output.asks()
    asked(asks)
    change(output)
    assert not asks.agrees()
