"""Sets of shards: the ledger of those that were made, and what their receipts say together."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imagenet_prep.engine.shard_set import (
    Naming,
    ShardSet,
    files_by_split,
    is_of_a_set,
    remove_others,
    remove_splits,
)

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


OWN = Naming("set/{split}-{shard:0{width}d}.tar", ("set/{split}-{shard:0{width}d}.idx",))


def made_with_own_names(folder: Path, split: str, shards: int) -> ShardSet:
    found = ShardSet(folder, "own", split, shards, OWN)
    found.write_down()
    for path in found.files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return found


def test_a_product_calls_its_shards_and_what_is_beside_them_as_it_likes(tmp_path: Path) -> None:
    found = ShardSet(tmp_path, "own", "train", 11, OWN)
    assert found.names() == [f"own/set/train-{shard:02d}.tar" for shard in range(11)]
    assert [path.name for path in found.files_of(3)] == ["train-03.tar", "train-03.idx"]
    assert found.pattern == f"{tmp_path}/own/set/train-*.tar"
    assert [path.name for path in ShardSet(tmp_path, "own", "train", 1, OWN).files()] == ["train-0.tar", "train-0.idx"]


def test_of_sets_whose_shards_are_called_alike_those_of_the_present_one_stay(tmp_path: Path) -> None:
    made_with_own_names(tmp_path, "train", 5)
    wanted = made_with_own_names(tmp_path, "train", 3)
    mine = wanted.folder / "set" / "train-8.tar"
    mine.write_bytes(b"mine")
    assert is_of_a_set(tmp_path, "own", wanted.folder / "set" / "train-4.idx", OWN)
    remove_others(wanted)
    assert sorted((wanted.folder / "set").iterdir()) == sorted([*wanted.files(), mine])
    assert not is_of_a_set(tmp_path, "own", wanted.folder / "set" / "train-4.idx", OWN)


def test_a_folder_of_shards_goes_with_the_last_of_them(tmp_path: Path) -> None:
    made_with_own_names(tmp_path, "train", 3)
    validation = made_with_own_names(tmp_path, "validation", 2)
    remove_splits(tmp_path, "own", ["train"], OWN)
    assert sorted((validation.folder / "set").iterdir()) == sorted(validation.files())
    remove_splits(tmp_path, "own", ["validation"], OWN)
    assert not (validation.folder / "set").exists()


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
