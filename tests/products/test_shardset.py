"""Sets of shards: the ledger of those that were made, and what goes when one is complete."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagenet_prep.products import shardset
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, ShardSet, remove_others, remove_splits


def made(folder: Path, split: str, shards: int, product: str = TFRECORD) -> ShardSet:
    found = ShardSet(folder, product, split, shards)
    found.write_down()
    found.folder.mkdir(parents=True, exist_ok=True)
    for path in found.paths():
        path.write_bytes(b"")
    return found


def test_many_jobs_may_write_a_set_down_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for count in range(50):
            found = ShardSet(tmp_path, TFRECORD, "train", count)
            list(pool.map(lambda _, found=found: found.write_down(), range(16)))


def test_only_files_of_sets_that_were_written_down_are_taken_away(tmp_path: Path) -> None:
    made(tmp_path, "train", 3)
    validation = made(tmp_path, "validation", 3)
    wanted = made(tmp_path, "train", 2)
    mine = wanted.folder / "train-00000-of-00007"
    mine.write_bytes(b"mine")
    remove_others(wanted)
    assert sorted(wanted.folder.iterdir()) == sorted([*wanted.paths(), *validation.paths(), mine])


def test_the_sets_of_splits_out_of_use_are_taken_away(tmp_path: Path) -> None:
    made(tmp_path, "train", 3)
    validation = made(tmp_path, "validation", 2)
    remove_splits(tmp_path, ["validation"])
    assert sorted(validation.folder.iterdir()) == validation.paths()


def receipts_of(output_dir: Path, shards: int, product: str = TFRECORD) -> list[Path]:
    """The receipt of the one batch of a set that was made."""
    found = made(output_dir, "train", shards, product)
    receipt = output_dir / "state" / product / f"train-00000-{shards - 1:05d}-of-{shards:05d}.json"
    receipt.parent.mkdir(parents=True, exist_ok=True)
    files = {path.name: {"records": 1, "bytes": 0} for path in found.paths()}
    receipt.write_text(json.dumps({"split": "train", "files": files}))
    return [receipt]


@pytest.mark.parametrize("product", [TFRECORD, TFRECORD_INDEX])
def test_completing_a_set_takes_away_the_shards_of_another_count(tmp_path: Path, product: str) -> None:
    receipts_of(tmp_path, 5, product)
    receipts = receipts_of(tmp_path, 2, product)
    wanted = ShardSet(tmp_path, product, "train", 2)
    receipt = wanted.complete(receipts)
    assert sorted(wanted.folder.iterdir()) == wanted.paths()
    assert list(receipt["files"]) == [path.name for path in wanted.paths()]
    assert sorted((tmp_path / "state" / product).iterdir()) == receipts


def test_the_receipt_of_a_set_says_the_version_of_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shardset, "_VERSIONS", {TFRECORD: 5, TFRECORD_INDEX: 7})
    for product, version in ((TFRECORD, 5), (TFRECORD_INDEX, 7)):
        receipts = receipts_of(tmp_path, 2, product)
        assert ShardSet(tmp_path, product, "train", 2).complete(receipts)["format_version"] == version


def test_completing_a_set_leaves_the_other_split_and_the_user_s_own_files(tmp_path: Path) -> None:
    receipts = receipts_of(tmp_path, 2)
    others = ["validation-00000-of-00009", "train-00000-of-00777", "notes.txt", "features.json"]
    for name in others:
        (tmp_path / TFRECORD / name).write_text("")
    ShardSet(tmp_path, TFRECORD, "train", 2).complete(receipts)
    assert {path.name for path in (tmp_path / TFRECORD).iterdir()} > set(others)


def test_completing_a_set_takes_away_what_a_killed_job_left(tmp_path: Path) -> None:
    receipts = receipts_of(tmp_path, 2)
    leftover = tmp_path / TFRECORD / ".train-00000-of-00005.partial"
    leftover.write_bytes(b"half")
    ShardSet(tmp_path, TFRECORD, "train", 2).complete(receipts)
    assert not leftover.exists()


def test_a_set_is_that_of_the_configuration(tmp_path: Path) -> None:
    config = {"output_dir": str(tmp_path), "tfrecord": {"train_shards": 2, "validation_shards": 7}}
    assert (
        ShardSet.of(config, TFRECORD_INDEX, "validation").paths()[6]
        == tmp_path / "tfrecord_index" / "validation-00006-of-00007"
    )
