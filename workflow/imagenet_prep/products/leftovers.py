"""What an older configuration left of a product: files that this workflow made, and that belong to it no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.dataset.names import TREE_OF_SPLIT
from imagenet_prep.engine import receipts as made
from imagenet_prep.engine.receipts import STATE
from imagenet_prep.products.shardset import (
    TFRECORD,
    TFRECORD_INDEX,
    TFRECORD_MULTILABEL,
    ShardSet,
    remove_others,
    remove_splits,
)
from imagenet_prep.products.tfds import DESCRIPTION, MULTILABEL_DESCRIPTION
from imagenet_prep.products.tree import Tree

IMAGEFOLDER = "imagefolder"


def remove_leftovers(
    config: Mapping[str, Any], product: str, split: str, units: int, receipts: Iterable[str]
) -> dict[str, Any]:
    """Take away what there is of a product's split beside that which these receipts are of; return what it consists of.

    Args:
        config: complete.
        product: `IMAGEFOLDER`, `TFRECORD` or `TFRECORD_INDEX`.
        split: of which all batches have been made.
        units: how many class folders or shards it has, at the most.
        receipts: those of its batches.
    """
    paths = [Path(receipt) for receipt in receipts]
    _withdraw(paths[0].parent, split, keep={path.name for path in paths})
    if product != IMAGEFOLDER:
        remove_others(ShardSet(Path(config["output_dir"]), product, split, units))
        return {"units": units}
    tree = Tree(Path(config["output_dir"]), TREE_OF_SPLIT[split])
    folders = {folder for path in paths for folder in made.load(path)["folders"]}
    for folder in sorted(tree.folders_made()):
        if tree.path(folder) not in folders:
            tree.remove(folder)
    tree.remove_partials()
    return {"units": len(folders)}


def remove_unused(output_dir: Path, splits: Collection[str], multilabel: bool) -> None:
    """Take away what was made of archives that are not in use any more.

    Args:
        output_dir: the configured folder.
        splits: those whose archives are in use.
        multilabel: whether the archives of the multi-label set are in use.
    """
    for split, name in TREE_OF_SPLIT.items():
        if split not in splits:
            for product in (IMAGEFOLDER, TFRECORD, TFRECORD_INDEX):
                _withdraw(output_dir / STATE / product, split)
            tree = Tree(output_dir, name)
            for folder in sorted(tree.folders_made()):
                tree.remove(folder)
            if tree.root.is_dir() and not any(tree.root.iterdir()):
                tree.root.rmdir()
    ours = {it: any((output_dir / STATE / "made" / it).glob("*-of-*.txt")) for it in (TFRECORD, TFRECORD_MULTILABEL)}
    for product in (TFRECORD, TFRECORD_INDEX):
        remove_splits(output_dir, product, splits)
    if not {"train", "validation"} & set(splits):
        _remove_all(output_dir, "tfrecord_description", TFRECORD, DESCRIPTION, ours[TFRECORD])
    if not multilabel:
        remove_splits(output_dir, TFRECORD_MULTILABEL, ())
        _remove_all(
            output_dir, TFRECORD_MULTILABEL, TFRECORD_MULTILABEL, MULTILABEL_DESCRIPTION, ours[TFRECORD_MULTILABEL]
        )


def _remove_all(output_dir: Path, step: str, folder: str, names: Iterable[str], ours: bool) -> None:
    """Take away files that have no ledger, if a receipt says that they are ours; and the folder where it is empty."""
    target = output_dir / folder
    if ours or made.names(output_dir / STATE / step):
        for name in names:
            (target / name).unlink(missing_ok=True)
        # Last: without it, nobody would know whose files these are.
        _withdraw_all(output_dir / STATE / step)
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()


def _withdraw(folder: Path, split: str, keep: Collection[str] = ()) -> None:
    others = [str(name) for name in made.names(folder) if name.split == split and str(name) not in keep]
    made.remove(folder / name for name in others)


def _withdraw_all(folder: Path) -> None:
    made.remove(folder / str(name) for name in made.names(folder))
