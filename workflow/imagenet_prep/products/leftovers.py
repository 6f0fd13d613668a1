"""What an older configuration left of a product: files that this workflow made, and that belong to it no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import receipts as made
from imagenet_prep.engine.receipts import STATE
from imagenet_prep.engine.step import ALL, Config
from imagenet_prep.products.registry import PLAN, PRODUCTS, SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS


def remove_leftovers(config: Config, product: str, split: str, receipts: Iterable[str]) -> int:
    """Take away what there is of a product's split beside that which its receipts are of; return how many units it has.

    Args:
        config: complete.
        product: its name.
        split: of which all batches have been made.
        receipts: those of its batches, and perhaps those of other products and splits.
    """
    folder = Path(config["output_dir"], STATE, product)
    own = [path for path in map(Path, receipts) if path.parent.name == product and _split_of(path) == split]
    _withdraw(folder, split, keep={path.name for path in own})
    return SPLIT_PRODUCTS[product].remove_leftovers(config, split, [made.load(path) for path in own])


def remove_unused(config: Config, kept: Mapping[str, Collection[str]]) -> None:
    """Take away what was made of archives that are not in use any more, and receipts that no step has any more.

    Args:
        config: complete.
        kept: by product, the splits that it keeps; by product of one job and by step of sidecars, whether it is kept.
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
    vain = _vain(state, kept)
    made.remove_with_tables(vain)
    for product in SPLIT_PRODUCTS.values():
        for split in product.splits(dataset_of(config)):
            if split not in kept[product.name]:
                product.remove(config, split)
    folders = {output_dir / product.path for product in SPLIT_PRODUCTS.values() if not kept[product.name]}
    for folder in sorted({path.parent for path in vain} | folders):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()


def _vain(state: Path, kept: Mapping[str, Collection[str]]) -> list[Path]:
    """The receipts of what is not kept, and of what no step is called any more."""
    plans = {f"{product}-{split}" for product in SHARDED_PRODUCTS for split in kept[product]}
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
