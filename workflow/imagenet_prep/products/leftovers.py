"""Removes what an older configuration left: files that this workflow made and that the present one does not ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import receipts as made
from imagenet_prep.engine.receipts import STATE
from imagenet_prep.engine.step import ALL, Config, part_of
from imagenet_prep.products.registry import PLAN, PRODUCTS, SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS


def remove_leftovers(config: Config, product: str, split: str, receipts: Iterable[str]) -> int:
    """Take away the units and receipts of a product's split that an older configuration left.

    Args:
        config: the configuration, complete.
        product: the name of the product.
        split: a split of which all batches have been made.
        receipts: paths of the receipts of these batches; others among them, of other products and splits, do not count.

    Returns:
        How many units the split has.
    """
    folder = Path(config["output_dir"], STATE, product)
    own = [path for path in map(Path, receipts) if path.parent.name == product and _split_of(path) == split]
    _withdraw(folder, split, keep={path.name for path in own})
    return SPLIT_PRODUCTS[product].remove_leftovers(config, split, [made.load(path) for path in own])


def remove_unused(config: Config, kept: Mapping[str, Collection[str]]) -> None:
    """Take away what was made of archives that are not in use any more, and receipts that no step has any more.

    Args:
        config: the configuration, complete.
        kept: the splits that each product keeps, by name; of a product that is not cut by split, and of the step of
            sidecars, `[ALL]` or nothing.
    """
    output_dir = Path(config["output_dir"])
    state = output_dir / STATE
    whole = {name: product.files(config) for name, product in PRODUCTS.items() if name not in SPLIT_PRODUCTS}
    sidecars = {product.description: product.files(config) for product in SPLIT_PRODUCTS.values() if product.sidecars}
    made_of = {product.description: product.is_made(config) for product in SPLIT_PRODUCTS.values()}
    for step, files in (whole | sidecars).items():
        if not kept.get(step, [ALL]) and (made_of.get(step) or made.names(state / step)):
            for name in files:
                (output_dir / name).unlink(missing_ok=True)
    # After the files that have no ledger: without the receipts, nobody would know whose those are.
    unneeded = _unneeded(state, kept)
    made.remove_with_tables(unneeded)
    for product in SPLIT_PRODUCTS.values():
        for split in product.splits(dataset_of(config)):
            if split not in kept[product.name]:
                product.remove(config, split)
    folders = {output_dir / product.path for product in SPLIT_PRODUCTS.values() if not kept[product.name]}
    for folder in sorted({path.parent for path in unneeded} | folders):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()


def _unneeded(state: Path, kept: Mapping[str, Collection[str]]) -> list[Path]:
    """The receipts of what is not kept, and those of steps that this version does not have."""
    plans = {part_of(product, split) for product in SHARDED_PRODUCTS for split in kept[product]}
    wanted = {**{step: set(subjects) for step, subjects in kept.items()}, PLAN.name: plans}
    steps = {*STEPS, made.ARCHIVES, made.FETCHED}
    return [
        folder / str(name)
        for folder in sorted(path for path in state.iterdir() if path.is_dir())
        for name in made.names(folder)
        if folder.name not in steps or (folder.name in wanted and name.split not in wanted[folder.name])
    ]


def _split_of(receipt: Path) -> str | None:
    name = made.Name.parse(receipt.name)
    return name.split if name else None


def _withdraw(folder: Path, split: str, keep: Collection[str]) -> None:
    others = [str(name) for name in made.names(folder) if name.split == split and str(name) not in keep]
    made.remove(folder / name for name in others)
