"""Whether the space that a run needs is there: a table for people, and an error that says what to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.space import ARCHIVE, Part, Products, SpaceNeed
from imagenet_prep.engine.step import Config
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import FileSystem, file_system_at
from imagenet_prep.progress import grouped


def as_table(needed: list[SpaceNeed], file_systems: Mapping[Path, FileSystem]) -> str:
    """Lines for people: what each part needs, then each file system with what it has.

    Args:
        needed: from `needs`.
        file_systems: the file system of the path of each need.
    """
    if not needed:
        return "Nothing is left to be made: no more space is needed."
    lines = []
    for file_system, rows in _by_file_system(needed, file_systems):
        nbytes, files = _sums(rows)
        free = f"free ({file_system.quota})" if file_system.quota else "free"
        have = "unknown" if file_system.nbytes is None else shown(file_system.nbytes)
        have_files = "no limit" if file_system.files is None else grouped(file_system.files)
        lines.append((f"on {file_system.place}", "bytes", "files"))
        lines += [(f"  {_name(need.part)}", shown(need.nbytes), grouped(need.files)) for need in rows]
        lines += [("  all of it", shown(nbytes), grouped(files)), (f"  {free}", have, have_files)]
    width = max(len(name) for name, _, _ in lines)
    return "\n".join(f"{name:{width}}{nbytes:>12}{files:>14}" for name, nbytes, files in lines)


def expect_enough(
    needed: list[SpaceNeed], file_systems: Mapping[Path, FileSystem], config: Config, products: Products
) -> None:
    """Raise `PrepError` where a file system has too little, with what to leave out so that the rest fits.

    Args:
        needed: from `needs`.
        file_systems: the file system of the path of each need.
        config: complete.
        products: all that are cut by split.
    """
    for file_system, rows in _by_file_system(needed, file_systems):
        if _fits(rows, file_system):
            continue
        nbytes, files = _sums(rows)
        if file_system.nbytes is not None and nbytes > file_system.nbytes:
            lacking = f"{shown(nbytes)} are needed and {shown(file_system.nbytes)} are free"
        else:
            lacking = f"{grouped(files)} files are needed and {grouped(file_system.files or 0)} can still be made"
        output = Path(config["output_dir"])
        in_output = {need.part[0] != ARCHIVE or need.path.is_relative_to(output) for need in rows}
        where = " and ".join(
            name for name, is_it in (("archives_dir", False), ("output_dir", True)) if is_it in in_output
        )
        limit = f" within {file_system.quota}" if file_system.quota else ""
        elsewhere = f"make room there, or move {where} to another file system"
        remedy = _without_product(rows, file_system, config, products) or _without_split(
            rows, file_system, config, products
        )
        raise PrepError(
            f"{file_system.place} ({where})",
            f"there is too little space{limit}: {lacking}. `{commands.snakemake('space')}` shows it all",
            f"{remedy}, or {elsewhere}" if remedy else f"{elsewhere[0].upper()}{elsewhere[1:]}",
        )


def file_systems_of(needed: Iterable[SpaceNeed]) -> dict[Path, FileSystem]:
    """The file system of the path of each need."""
    return {path: file_system_at(path) for path in sorted({need.path for need in needed})}


def shown(nbytes: float) -> str:
    """Bytes for people, in powers of 1000 as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} TB"


def _name(part: Part) -> str:
    kind, name = part
    return f"{kind} {name}" if name else kind


def _by_file_system(
    needed: list[SpaceNeed], file_systems: Mapping[Path, FileSystem]
) -> list[tuple[FileSystem, list[SpaceNeed]]]:
    devices: dict[int, tuple[FileSystem, list[SpaceNeed]]] = {}
    for need in needed:
        file_system = file_systems[need.path]
        devices.setdefault(file_system.device, (file_system, []))[1].append(need)
    return list(devices.values())


def _sums(rows: Iterable[SpaceNeed]) -> tuple[int, int]:
    rows = list(rows)
    return sum(need.nbytes for need in rows), sum(need.files for need in rows)


def _fits(rows: Iterable[SpaceNeed], file_system: FileSystem) -> bool:
    nbytes, files = _sums(rows)
    return (file_system.nbytes is None or nbytes <= file_system.nbytes) and (
        file_system.files is None or files <= file_system.files
    )


def _without_product(rows: list[SpaceNeed], file_system: FileSystem, config: Config, products: Products) -> str | None:
    """The products to leave out so that the rest fits, as little as possible, something of them being left."""
    choices = []
    for name in dict.fromkeys(need.part[0] for need in rows if need.part[0] in products):
        left_out = [name, *(it for it in products if _follows(it, name, config, products))]
        left_out = [it for it in left_out if any(need.part[0] == it for need in rows)]
        rest = [need for need in rows if need.part[0] not in left_out]
        if _fits(rest, file_system) and any(need.part[0] in products for need in rest):
            choices.append((_sums(rows)[0] - _sums(rest)[0], " and ".join(left_out), rest))
    if not choices:
        return None
    _, names, rest = min(choices, key=lambda choice: choice[:2])
    targets = "where targets are named, leave it out of those"
    return f"Leave out {names} (in products): the rest needs {shown(_sums(rest)[0])} and fits ({targets})"


def _follows(product: str, other: str, config: Config, products: Products) -> bool:
    """Whether a product is made from another one."""
    it = products[product]
    return any(need[0] == other for split in it.splits_in_use(config) for need in it.needs(config, split))


def _without_split(rows: list[SpaceNeed], file_system: FileSystem, config: Config, products: Products) -> str | None:
    """The advice to do without the largest split, where that helps."""
    dataset = dataset_of(config)
    largest = max(dataset.splits_in_use(config), key=lambda split: dataset.archives[split.archive].size, default=None)
    if largest is None:
        return None
    archives = [name for name in (largest.archive, largest.boxes) if name and name in config["use"]]

    def is_of_it(part: Part) -> bool:
        kind, name = part
        return name in archives if kind == ARCHIVE else name == largest.name

    rest = [need for need in rows if not is_of_it(need.part)]
    made = [f"{need.part[0]}_{need.part[1]}" for need in rest if need.part[0] in products]
    if not _fits(rest, file_system) or not made:
        return None
    fits = f"the rest needs {shown(_sums(rest)[0])} and fits"
    targets = f"where targets are named, name those of other splits, such as {made[0]}"
    return f"Leave out the split {largest.name} ({' and '.join(archives)} in use): {fits} ({targets})"
