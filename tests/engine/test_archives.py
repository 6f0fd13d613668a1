"""What a configuration asks for as archives come, go, are touched or hold something else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configuration.official import DEMO
from engine.outputs import Output, numbers, written
from project import merged


def test_what_was_made_of_an_archive_stands_while_it_has_the_same_content(output: Output) -> None:
    made = output.make("tfrecord", "train")
    os.utime(output.file("train"))
    output.scan("train")
    assert output.asks().batches("tfrecord", "train") == made


def test_what_was_made_of_an_archive_is_asked_for_anew_when_that_holds_something_else(output: Output) -> None:
    for split in ("train", "validation"):
        output.make("tfrecord", split)
    output.scan("train", "second")
    assert numbers(output.asks().batches("tfrecord", "train")) == [2, 2]
    assert numbers(output.asks().batches("tfrecord", "validation")) == [1]


def test_a_scan_within_the_run_tells_what_has_to_be_made_anew(output: Output) -> None:
    output.make("tfrecord", "train")
    os.utime(output.file("train"))
    asks = output.asks()
    assert numbers(asks.batches("tfrecord", "train")) == [1, 1]
    written(asks.archive_receipt("train"), {"content": "second"})
    assert numbers(asks.batches("tfrecord", "train")) == [2, 2]


def test_an_archive_as_it_was_scanned_is_not_scanned_again(output: Output) -> None:
    assert output.asks().archive_receipt("train").exists()


@pytest.mark.parametrize("change", [lambda it: it.write_bytes(b"other"), os.utime], ids=["replaced", "touched"])
def test_an_archive_that_is_not_as_it_was_is_scanned_again(output: Output, change: Callable[[Path], Any]) -> None:
    change(output.file("train"))
    assert numbers([output.asks().archive_receipt("train")]) == [2]


def test_an_archive_is_scanned_again_when_something_else_is_expected_of_it(output: Output) -> None:
    changes = {"archives": {"train": {"md5": "0" * 32}}}
    assert not output.asks(changes).archive_receipt("train").exists()


def test_what_was_made_of_an_archive_stands_when_that_is_gone(output: Output) -> None:
    made = output.make("tfrecord", "train")
    output.file("train").unlink()
    assert output.asks().batches("tfrecord", "train") == made


def test_an_archive_that_is_gone_is_asked_for_by_what_reads_it_alone(output: Output) -> None:
    output.file("train").unlink()
    asks = output.asks()
    receipts = [asks.archive_receipt(name) for name in ("bbox_train", "devkit", "train")]
    assert asks.archive_receipts("tfrecord", "train") == receipts
    assert asks.archive_receipts("plan", "tfrecord-train") == receipts[:2]
    assert not receipts[2].exists()


def test_an_archive_is_wanted_while_it_is_there_or_was_never_seen(output: Output) -> None:
    output.file("train").unlink()
    output.file("val").unlink()
    output.asks().archive_receipt("val")
    for receipt in (output.path / "state" / "archives").glob("val.*"):
        receipt.unlink()
    asks = output.asks()
    assert [asks.is_wanted(name) for name in ("devkit", "train", "val")] == [True, False, True]


def test_an_archive_counts_wherever_it_may_lie(output: Output) -> None:
    file = output.file("train")
    link = output.path / "archives" / file.name
    link.parent.mkdir()
    moved = file.rename(output.path.parent / "elsewhere.tar")
    assert output.asks().archive("train") is None
    link.symlink_to(moved)
    found = output.asks().archive("train")
    assert found is not None
    assert found.samefile(moved)
    assert output.asks().archive_receipt("train").exists()


def test_a_link_that_leads_to_the_archive_stands_and_another_is_made_anew(output: Output) -> None:
    link = output.path / "archives" / output.file("train").name
    link.parent.mkdir()
    link.symlink_to(output.file("train"))
    assert output.asks().last_fetched("train") is None
    receipt = written(output.asks().fetched("train"), {})
    assert output.asks().fetched("train") == output.asks().last_fetched("train") == receipt
    link.unlink()
    assert numbers([output.asks().fetched("train")]) == [2]
    assert output.asks().last_fetched("train") == receipt


# Archives that are made up


def test_real_archives_are_not_made_up(output: Output) -> None:
    assert output.asks().made_up() is None
    assert not output.asks().makes_up("train")


def test_made_up_archives_stand_while_all_are_there_and_are_of_the_settings(output: Output) -> None:
    made_up = {"synthetic": DEMO["synthetic"], "classes": None}
    receipt = output.asks(made_up).made_up()
    assert receipt is not None
    assert receipt.parent == output.archives
    assert output.asks(made_up).makes_up("train")
    files = [output.file(name).name for name in output.asks(made_up).config["use"]]
    written(receipt, {"archives": [{"file": file} for file in files if file != output.file("train").name]})
    assert output.asks(made_up).makes_up("train"), "it stands there of other settings, among the others"
    written(receipt, {"archives": [{"file": file} for file in files]})
    assert output.asks(made_up).made_up() == receipt
    assert not output.asks(made_up).makes_up("train")
    assert output.asks(merged(made_up, {"synthetic": {"seed": 5}})).makes_up("train")
    output.file("val").unlink()
    assert numbers(filter(None, [output.asks(made_up).made_up()])) == [2]
