"""The ledger of the sets of shards that were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imagenet_prep.products.shardset import TFRECORD, ShardSet, remove_others, remove_splits


def made(folder: Path, split: str, shards: int) -> ShardSet:
    found = ShardSet(folder, TFRECORD, split, shards)
    found.write_down()
    found.folder.mkdir(exist_ok=True)
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
