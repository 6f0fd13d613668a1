"""Which receipts hold: what somebody deleted must be made again, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from builders import CRANE, FOX
from imagenet_prep.products.presence import revoke_void_receipts
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL
from imagenet_prep.products.tfds import FEATURES, INFO, MULTILABEL_NAMES
from imagenet_prep.products.tree import Tree

SHARDS = ["train-00000-of-00002", "train-00001-of-00002"]
MADE, LATER = 1_700_000_000, 1_700_000_500


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two class folders in two batches, two shards in two batches and their indexes in one, all made long ago."""
    state = tmp_path / "state"
    tree = Tree(tmp_path, "train")
    for number, wnid in enumerate((CRANE, FOX)):
        names = [f"{wnid}_{i}.JPEG" for i in range(3)]
        for name in names:
            write(tree.root / wnid / name, "image")
        tree.write_down(wnid, names)
        receipt = {"tree": "train", "folders": {wnid: 3}}
        write(state / "imagefolder" / f"train-{number:05d}-{number:05d}-of-00002.json", receipt)
    write(state / "imagefolder" / "train.json", {"tree": "train", "folders": 2, "images": 6})
    for number, name in enumerate(SHARDS):
        write(tmp_path / TFRECORD / name, "shard")
        write(tmp_path / TFRECORD_INDEX / name, "index")
        write(state / TFRECORD / f"train-{number:05d}-{number:05d}-of-00002.json", {"files": {name: {}}})
    write(state / TFRECORD / "train.json", {"files": dict.fromkeys(SHARDS)})
    write(state / TFRECORD_INDEX / "train-00000-00001-of-00002.json", {"files": dict.fromkeys(SHARDS)})
    for path in [*tmp_path.rglob("*"), tmp_path]:
        os.utime(path, (MADE, MADE))
    return tmp_path


def revoked(out: Path) -> set[str]:
    paths = revoke_void_receipts(out)
    assert not any(path.exists() for path in paths)
    return {str(path.relative_to(out / "state")) for path in paths}


def test_receipts_hold_while_everything_is_there(out: Path) -> None:
    before = sorted(out.rglob("*"))
    assert revoked(out) == set()
    assert sorted(out.rglob("*")) == before


def test_nothing_is_revoked_before_the_first_run(tmp_path: Path) -> None:
    assert revoked(tmp_path / "results") == set()


def test_a_deleted_class_folder_voids_its_batch_alone(out: Path) -> None:
    folder = Tree(out, "train").root / FOX
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert revoked(out) == {"imagefolder/train-00001-00001-of-00002.json"}


def test_a_deleted_file_of_a_class_folder_voids_its_batch_alone(out: Path) -> None:
    (Tree(out, "train").root / CRANE / f"{CRANE}_1.JPEG").unlink()
    assert revoked(out) == {"imagefolder/train-00000-00000-of-00002.json"}


def test_a_file_of_the_user_s_own_voids_nothing(out: Path) -> None:
    (Tree(out, "train").root / CRANE / "notes.txt").write_text("mine")
    assert revoked(out) == set()


def test_a_deleted_tree_voids_all_its_batches(out: Path) -> None:
    root = Tree(out, "train").root
    root.rename(out / "elsewhere")
    assert revoked(out) == {f"imagefolder/train-0000{i}-0000{i}-of-00002.json" for i in range(2)}


def test_a_deleted_shard_voids_its_batch_and_the_receipt_of_the_set(out: Path) -> None:
    (out / TFRECORD / SHARDS[1]).unlink()
    assert revoked(out) == {"tfrecord/train-00001-00001-of-00002.json", "tfrecord/train.json"}


def test_a_deleted_index_voids_the_receipt_of_indexes_alone(out: Path) -> None:
    (out / TFRECORD_INDEX / SHARDS[0]).unlink()
    assert revoked(out) == {"tfrecord_index/train-00000-00001-of-00002.json"}


def test_a_shard_newer_than_the_receipt_of_its_index_voids_that(out: Path) -> None:
    os.utime(out / TFRECORD / SHARDS[0], (LATER, LATER))
    assert revoked(out) == {"tfrecord_index/train-00000-00001-of-00002.json"}


@pytest.mark.parametrize("deleted", ["validation-00000-of-00001", "features.json", "original_label.labels.txt"])
def test_a_deleted_file_of_the_multi_label_set_voids_its_receipt(out: Path, deleted: str) -> None:
    shard = "validation-00000-of-00001"
    for name in (shard, FEATURES, INFO, *MULTILABEL_NAMES):
        write(out / TFRECORD_MULTILABEL / name, "")
    write(out / "state" / TFRECORD_MULTILABEL / "receipt.json", {"splits": [{"files": {shard: {}}}]})
    assert revoked(out) == set()
    (out / TFRECORD_MULTILABEL / deleted).unlink()
    assert revoked(out) == {"tfrecord_multilabel/receipt.json"}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"tree": "train"}', '{"files": 5}', '"text"', "\x00"]
)
@pytest.mark.parametrize("product", ["imagefolder", TFRECORD, TFRECORD_INDEX])
def test_a_damaged_receipt_is_void(out: Path, product: str, content: str) -> None:
    receipt = out / "state" / product / "train-00000-00007-of-00008.json"
    receipt.write_text(content)
    assert revoked(out) == {str(receipt.relative_to(out / "state"))}
