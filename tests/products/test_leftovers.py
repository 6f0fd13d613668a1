"""What an older configuration left goes, once all is made that the present one asks for; nobody else's file does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import builders
from builders import CRANE, FOX
from engine.outputs import NEW, OLD, put, written
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.products import shards as sharding
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.leftovers import remove_leftovers, remove_unused
from imagenet_prep.products.registry import STEPS
from imagenet_prep.products.tfds import DESCRIPTION, MULTILABEL_DESCRIPTION

SHARDS = ["tfrecord", "tfrecord_index"]
MULTILABEL = "tfrecord_multilabel"
ALL = ("train", "validation", "test", "train_t3")
USED = ["train", "val", "test", "train_t3", "devkit", "multilabel"]
"""The archives of all of these, and the annotations."""


def folders(out: Path, tree: str, names: Iterable[str]) -> dict[str, Any]:
    """Folders that were made, with an image in each; what a receipt says of them."""
    made = Tree(out, tree)
    for name in names:
        written(made.root / name / "image.JPEG")
        made.write_down(name, ["image.JPEG"])
    return {"folders": {made.path(name): made.made_in(name, 1) for name in names}}


def shards(out: Path, product: str, split: str, count: int) -> dict[str, Any]:
    """Shards that were made; what a receipt says of them."""
    made = ShardSet(out, product, split, count)
    made.write_down()
    for path in made.paths():
        written(path)
    return {"files": {name: {} for name in made.names()}}


def clean(out: Path, product: str, split: str, *receipts: Path) -> int:
    return remove_leftovers({"output_dir": str(out)}, product, split, map(str, receipts))


def clear(out: Path, *used: str) -> None:
    """Take away what is not made of these archives."""
    config = {"output_dir": str(out), "use": list(used)}
    remove_unused(config, STEPS["unused"].settings(config, "all")["kept"])


def files(out: Path, *parts: str) -> set[str]:
    return builders.files_below(out.joinpath(*parts))


# Class folders


def tree_of(out: Path, *names: str) -> Path:
    """The receipt of these folders of the training set, as they are asked for now."""
    subject = f"train-00000-{len(names) - 1:05d}-of-{len(names):05d}"
    return put(out, "imagefolder", subject, NEW, **folders(out, "train", names))


def test_class_folders_of_an_older_choice_go(tmp_path: Path) -> None:
    folders(tmp_path, "train", [CRANE, FOX])
    assert clean(tmp_path, "imagefolder", "train", tree_of(tmp_path, CRANE)) == 1
    assert files(tmp_path, "imagefolder") == {f"train/{CRANE}/image.JPEG"}
    assert Tree(tmp_path, "train").folders_made() == {CRANE}


def test_class_folders_of_all_batches_stay(tmp_path: Path) -> None:
    receipts = [
        put(tmp_path, "imagefolder", f"train-0000{i}-0000{i}-of-00002", NEW, **folders(tmp_path, "train", [wnid]))
        for i, wnid in enumerate((CRANE, FOX))
    ]
    assert clean(tmp_path, "imagefolder", "train", *receipts) == 2
    assert files(tmp_path, "imagefolder", "train") == {f"{wnid}/image.JPEG" for wnid in (CRANE, FOX)}


def test_images_that_lie_flat_stay(tmp_path: Path) -> None:
    receipt = put(tmp_path, "imagefolder", "test-00000-00000-of-00001", NEW, **folders(tmp_path, "test", [""]))
    clean(tmp_path, "imagefolder", "test", receipt)
    assert files(tmp_path, "imagefolder") == {"test/image.JPEG"}


def test_a_file_of_the_user_s_own_keeps_its_folder(tmp_path: Path) -> None:
    folders(tmp_path, "train", [FOX])
    written(tmp_path / "imagefolder" / "train" / FOX / "notes.txt")
    clean(tmp_path, "imagefolder", "train", tree_of(tmp_path, CRANE))
    assert files(tmp_path, "imagefolder", "train", FOX) == {"notes.txt"}


def test_a_folder_that_this_program_did_not_make_stays(tmp_path: Path) -> None:
    (tmp_path / "imagefolder" / "train" / FOX).mkdir(parents=True)
    clean(tmp_path, "imagefolder", "train", tree_of(tmp_path, CRANE))
    assert files(tmp_path, "imagefolder", "train") == {FOX, f"{CRANE}/image.JPEG"}


def test_folders_of_other_trees_stay_also_those_that_are_being_filled(tmp_path: Path) -> None:
    folders(tmp_path, "train_t3", [FOX])
    half = written(Tree(tmp_path, "train_t3").partial(CRANE) / "half")
    clean(tmp_path, "imagefolder", "train", tree_of(tmp_path, CRANE))
    assert half.exists()
    assert files(tmp_path, "imagefolder", "train_t3") == {f"{FOX}/image.JPEG"}


def test_what_a_killed_job_left_of_a_folder_goes(tmp_path: Path) -> None:
    written(Tree(tmp_path, "train").partial(FOX) / "half")
    clean(tmp_path, "imagefolder", "train", tree_of(tmp_path, CRANE))
    assert files(tmp_path, "imagefolder") == {f"train/{CRANE}/image.JPEG"}


# Shards and their indexes


def set_of(out: Path, product: str) -> Path:
    """The receipt of two shards of the training set, as they are asked for now."""
    return put(out, product, "train-00000-00001-of-00002", NEW, **shards(out, product, "train", 2))


WANTED = {"train-00000-of-00002", "train-00001-of-00002"}


@pytest.mark.parametrize("product", SHARDS)
def test_shards_of_another_count_go(tmp_path: Path, product: str) -> None:
    shards(tmp_path, product, "train", 5)
    assert clean(tmp_path, product, "train", set_of(tmp_path, product)) == 2
    assert files(tmp_path, product) == WANTED


def test_the_other_split_and_the_user_s_own_files_stay(tmp_path: Path) -> None:
    shards(tmp_path, "tfrecord", "validation", 3)
    others = {"train-00000-of-00777", "notes.txt", "features.json"}
    for name in others:
        written(tmp_path / "tfrecord" / name)
    before = files(tmp_path, "tfrecord")
    clean(tmp_path, "tfrecord", "train", set_of(tmp_path, "tfrecord"))
    assert files(tmp_path, "tfrecord") == before | WANTED


@pytest.mark.parametrize("product", ["imagefolder", *SHARDS])
def test_receipts_of_what_is_asked_for_no_more_go_those_of_other_splits_stay(tmp_path: Path, product: str) -> None:
    wanted = tree_of(tmp_path, CRANE) if product == "imagefolder" else set_of(tmp_path, product)
    older = [put(tmp_path, product, wanted.name.partition(".")[0], *of) for of in ((OLD, 1), (OLD, 2), (NEW, 7))]
    others = [put(tmp_path, product, f"{split}-00000-00000-of-00001") for split in ALL if split != "train"]
    clean(tmp_path, product, "train", wanted)
    assert {path.name for path in wanted.parent.iterdir()} == {path.name for path in (wanted, *others)}
    assert not any(path.exists() for path in older)


def test_no_receipt_tells_of_files_that_are_being_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = put(tmp_path, "tfrecord", "train-00000-00004-of-00005", **shards(tmp_path, "tfrecord", "train", 5))
    seen = []
    monkeypatch.setattr(sharding, "remove_others", lambda _: seen.append(older.exists()))
    clean(tmp_path, "tfrecord", "train", set_of(tmp_path, "tfrecord"))
    assert seen == [False]


# What is of no use any more


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """All products of all splits."""
    for split, tree in zip(ALL, ("train", "val", "test", "train_t3"), strict=True):
        made = folders(tmp_path, tree, [FOX] if split != "test" else [""])
        put(tmp_path, "imagefolder", f"{split}-00000-00000-of-00001", **made)
    for split in ("train", "validation"):
        for product in SHARDS:
            put(tmp_path, product, f"{split}-00000-00000-of-00001", **shards(tmp_path, product, split, 1))
        put(tmp_path, "plan", f"tfrecord-{split}")
    for split in ("validation", "imagenet_m"):
        put(tmp_path, MULTILABEL, f"{split}-00000-00000-of-00001", **shards(tmp_path, MULTILABEL, split, 1))
        put(tmp_path, "plan", f"{MULTILABEL}-{split}")
    for product, names in (("tfrecord", DESCRIPTION), (MULTILABEL, MULTILABEL_DESCRIPTION)):
        described = [f"{product}/{name}" for name in names]
        for name in described:
            written(tmp_path / name)
        put(tmp_path, f"{product}_description", "all", files={name: {} for name in described})
    return tmp_path


def products(out: Path) -> set[str]:
    """All files but those of `state/`."""
    return {name for name in files(out) if not name.startswith("state/")}


def receipts(out: Path) -> set[str]:
    return {str(path.relative_to(out / "state")) for path in (out / "state").rglob("*.json")}


def test_while_everything_is_in_use_nothing_goes(everything: Path) -> None:
    before = files(everything)
    clear(everything, *USED)
    assert files(everything) == before


def test_of_a_split_out_of_use_everything_goes_and_of_the_others_nothing(everything: Path) -> None:
    made, known = products(everything), receipts(everything)
    clear(everything, *USED[1:])
    gone = {f"imagefolder/train/{FOX}/image.JPEG", *(f"{product}/train-00000-of-00001" for product in SHARDS)}
    assert made - products(everything) == gone
    assert known - receipts(everything) == {
        f"plan/tfrecord-train.{OLD}.1.json",
        *(f"{product}/train-00000-00000-of-00001.{OLD}.1.json" for product in ("imagefolder", *SHARDS)),
    }


def test_a_plan_goes_with_its_table(everything: Path) -> None:
    table = written(everything / "state" / "plan" / f"tfrecord-train.{OLD}.1.parquet")
    clear(everything, *USED[1:])
    assert not table.exists()


def test_receipts_that_no_step_has_any_more_go_with_their_folder(everything: Path) -> None:
    before = receipts(everything)
    put(everything, "tfrecords", "train-00000-00000-of-00001")
    clear(everything, *USED)
    assert receipts(everything) == before
    assert not (everything / "state" / "tfrecords").exists()


@pytest.mark.parametrize("split", ["test", "train_t3"])
def test_a_tree_out_of_use_goes_with_its_folder(everything: Path, split: str) -> None:
    clear(everything, *(it for it in USED if it != split))
    assert not (everything / "imagefolder" / split).exists()


def test_the_user_s_own_files_stay_in_trees_out_of_use(everything: Path) -> None:
    written(everything / "imagefolder" / "test" / "notes.txt")
    clear(everything, "train", "devkit")
    assert files(everything, "imagefolder", "test") == {"notes.txt"}


def test_what_describes_the_records_goes_with_the_last_of_them(everything: Path) -> None:
    clear(everything, "test", "val", "devkit")
    assert set(DESCRIPTION) < files(everything, "tfrecord")
    clear(everything, "test", "devkit")
    assert not (everything / "tfrecord").exists()
    assert not (everything / "state" / "tfrecord_description").exists()


@pytest.mark.parametrize("archive", ["val", "multilabel"])
def test_the_multi_label_set_goes_with_each_of_its_archives(everything: Path, archive: str) -> None:
    made = products(everything)
    clear(everything, *(it for it in USED if it != archive))
    gone = {name.partition("/")[0] for name in made - products(everything)}
    assert gone == ({MULTILABEL} if archive == "multilabel" else {MULTILABEL, "imagefolder", *SHARDS})
    assert not (everything / MULTILABEL).exists()
    assert not [name for name in receipts(everything) if MULTILABEL in name]


def test_the_multi_label_set_goes_though_its_receipts_are_gone_already(everything: Path) -> None:
    for receipt in (everything / "state").glob(f"{MULTILABEL}*/*.json"):
        receipt.unlink()
    clear(everything, *USED[:-1])
    assert not (everything / MULTILABEL).exists()


def test_files_of_these_names_stay_where_this_program_has_made_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    for folder in ("tfrecord", MULTILABEL):
        written(tmp_path / folder / "features.json")
    clear(tmp_path)
    assert files(tmp_path) - {"state"} == {"tfrecord/features.json", f"{MULTILABEL}/features.json"}


# Tables


@pytest.mark.parametrize(
    ("product", "without"),
    [("bboxes", ["bbox_train", "bbox_val"]), ("multilabel", ["multilabel"])],
)
def test_a_table_of_ours_goes_with_its_archives(tmp_path: Path, product: str, without: list[str]) -> None:
    table = written(tmp_path / "tables" / f"{product}.parquet")
    used = ["train", "val", "devkit", "bbox_train", "bbox_val", "multilabel"]
    put(tmp_path, product, "all")
    clear(tmp_path, *used)
    assert table.exists()
    clear(tmp_path, *(name for name in used if name not in without))
    assert not table.exists()
    assert not list((tmp_path / "state").glob(f"{product}/*.json"))
    written(table)
    clear(tmp_path, *(name for name in used if name not in without))
    assert table.exists(), "somebody else's"


def test_the_tree_of_a_split_of_which_no_class_is_left_goes(tmp_path: Path) -> None:
    folders(tmp_path, "train_t3", ["n02085620", "n02119789"])
    receipt = put(tmp_path, "imagefolder", "train_t3-00000-00000-of-00001", NEW, folders={})
    clean(tmp_path, "imagefolder", "train_t3", receipt)
    assert not (tmp_path / "imagefolder" / "train_t3").exists()
