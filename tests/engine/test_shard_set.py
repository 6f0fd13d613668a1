"""Sets of shards: the ledger of those that were made, and what their receipts say together."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imagenet_prep.engine.shard_set import ShardSet, files_by_split, remove_others, remove_splits

TFRECORD = "tfrecord"


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
    remove_splits(tmp_path, TFRECORD, ["train"])
    assert sorted(validation.folder.iterdir()) == validation.paths()


def test_what_a_killed_job_left_of_the_split_goes_with_its_other_sets(tmp_path: Path) -> None:
    wanted = made(tmp_path, "train", 2)
    leftovers = [wanted.folder / f".{split}-00000-of-00005.node-17.partial" for split in ("train", "validation")]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    remove_others(wanted)
    assert [leftover.exists() for leftover in leftovers] == [False, True]


def test_the_receipts_of_batches_tell_of_each_split_its_files_in_order(tmp_path: Path) -> None:
    files = {name: {"records": number, "bytes": 10} for number, name in enumerate(["a", "b", "c"])}
    receipts = []
    for batch, names in (
        ("train-00000-00001-of-00003", "ab"),
        ("train-00002-00002-of-00003", "c"),
        ("validation", "a"),
    ):
        receipts.append(tmp_path / f"{batch}.0123456789.1.json")
        receipts[-1].write_text(json.dumps({"files": {f"{TFRECORD}/{name}": files[name] for name in names}}))
    assert files_by_split(receipts) == [
        {"split": "train", "files": files},
        {"split": "validation", "files": {"a": files["a"]}},
    ]
