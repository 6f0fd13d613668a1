"""Whether the space that a run needs is there: a table for people, and an error that says what to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.space import ARCHIVE, Part, Products, SpaceNeed
from imagenet_prep.engine.step import Config
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import Room, room_at
from imagenet_prep.progress import grouped


def as_table(needed: list[SpaceNeed], rooms: Mapping[Path, Room]) -> str:
    """Lines for people: what each part needs, then each file system with what it has.

    Args:
        needed: from `needs`.
        rooms: the file system of the path of each need.
    """
    if not needed:
        return "Nothing is left to be made: no more space is needed."
    lines = []
    for room, rows in _by_room(needed, rooms):
        nbytes, files = _sums(rows)
        free = f"free ({room.quota})" if room.quota else "free"
        have = "unknown" if room.nbytes is None else shown(room.nbytes)
        have_files = "no limit" if room.files is None else grouped(room.files)
        lines.append((f"on {room.place}", "bytes", "files"))
        lines += [(f"  {_name(need.part)}", shown(need.nbytes), grouped(need.files)) for need in rows]
        lines += [("  all of it", shown(nbytes), grouped(files)), (f"  {free}", have, have_files)]
    width = max(len(name) for name, _, _ in lines)
    return "\n".join(f"{name:{width}}{nbytes:>12}{files:>14}" for name, nbytes, files in lines)


def expect_room(needed: list[SpaceNeed], rooms: Mapping[Path, Room], config: Config, products: Products) -> None:
    """Raise `PrepError` where a file system has too little, with what to leave out so that the rest fits.

    Args:
        needed: from `needs`.
        rooms: the file system of the path of each need.
        config: complete.
        products: all that are cut by split.
    """
    for room, rows in _by_room(needed, rooms):
        if _fits(rows, room):
            continue
        nbytes, files = _sums(rows)
        if room.nbytes is not None and nbytes > room.nbytes:
            lacking = f"{shown(nbytes)} are needed and {shown(room.nbytes)} are free"
        else:
            lacking = f"{grouped(files)} files are needed and {grouped(room.files or 0)} can still be made"
        output = Path(config["output_dir"])
        in_output = {need.part[0] != ARCHIVE or need.path.is_relative_to(output) for need in rows}
        where = " and ".join(
            name for name, is_it in (("archives_dir", False), ("output_dir", True)) if is_it in in_output
        )
        limit = f" within {room.quota}" if room.quota else ""
        elsewhere = f"make room there, or move {where} to another file system"
        remedy = _without_product(rows, room, config, products) or _without_split(rows, room, config, products)
        raise PrepError(
            f"{room.place} ({where})",
            f"there is too little space{limit}: {lacking}. `{commands.snakemake('space')}` shows it all",
            f"{remedy}, or {elsewhere}" if remedy else f"{elsewhere[0].upper()}{elsewhere[1:]}",
        )


def rooms_of(needed: Iterable[SpaceNeed]) -> dict[Path, Room]:
    """The file system of the path of each need."""
    return {path: room_at(path) for path in sorted({need.path for need in needed})}


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


def _by_room(needed: list[SpaceNeed], rooms: Mapping[Path, Room]) -> list[tuple[Room, list[SpaceNeed]]]:
    devices: dict[int, tuple[Room, list[SpaceNeed]]] = {}
    for need in needed:
        room = rooms[need.path]
        devices.setdefault(room.device, (room, []))[1].append(need)
    return list(devices.values())


def _sums(rows: Iterable[SpaceNeed]) -> tuple[int, int]:
    rows = list(rows)
    return sum(need.nbytes for need in rows), sum(need.files for need in rows)


def _fits(rows: Iterable[SpaceNeed], room: Room) -> bool:
    nbytes, files = _sums(rows)
    return (room.nbytes is None or nbytes <= room.nbytes) and (room.files is None or files <= room.files)


def _without_product(rows: list[SpaceNeed], room: Room, config: Config, products: Products) -> str | None:
    """The products to leave out so that the rest fits, as little as possible, something of them being left."""
    choices = []
    for name in dict.fromkeys(need.part[0] for need in rows if need.part[0] in products):
        left_out = [name, *(it for it in products if _follows(it, name, config, products))]
        left_out = [it for it in left_out if any(need.part[0] == it for need in rows)]
        rest = [need for need in rows if need.part[0] not in left_out]
        if _fits(rest, room) and any(need.part[0] in products for need in rest):
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


def _without_split(rows: list[SpaceNeed], room: Room, config: Config, products: Products) -> str | None:
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
    if not _fits(rest, room) or not made:
        return None
    fits = f"the rest needs {shown(_sums(rest)[0])} and fits"
    targets = f"where targets are named, name those of other splits, such as {made[0]}"
    return f"Leave out the split {largest.name} ({' and '.join(archives)} in use): {fits} ({targets})"
