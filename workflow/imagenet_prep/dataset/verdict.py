"""Whether the space that a run needs is there: a table for people, and an error that says what to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from imagenet_prep.dataset.space import ARCHIVE, IMAGEFOLDER, TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL, Need, Part
from imagenet_prep.errors import PrepError
from imagenet_prep.room import Room, room_at

_MADE = (IMAGEFOLDER, TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL)
# Products that can be left out, and what is made for them alone; indexes are made from records.
_CHOICES = {
    "indexes": (TFRECORD_INDEX,),
    "imagefolder": (IMAGEFOLDER,),
    "tfrecords and indexes": (TFRECORD, TFRECORD_INDEX),
    "multilabel_tfrecords": (TFRECORD_MULTILABEL,),
}
_OF_TRAIN = ("train", "bbox_train")


def as_table(needed: list[Need], rooms: Mapping[Path, Room]) -> str:
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


def expect_room(needed: list[Need], rooms: Mapping[Path, Room]) -> None:
    """Raise `PrepError` where a file system has too little, with what to leave out so that the rest fits."""
    for room, rows in _by_room(needed, rooms):
        if _fits(rows, room):
            continue
        nbytes, files = _sums(rows)
        if room.nbytes is not None and nbytes > room.nbytes:
            lacking = f"{shown(nbytes)} are needed and {shown(room.nbytes)} are free"
        else:
            lacking = f"{grouped(files)} files are needed and {grouped(room.files or 0)} can still be made"
        where = " and ".join(sorted({"archives_dir" if need.part[0] == ARCHIVE else "output_dir" for need in rows}))
        limit = f" within {room.quota}" if room.quota else ""
        elsewhere = f"make room there, or move {where} to another file system"
        remedy = _leave_out(rows, room) or _without_train(rows, room)
        raise PrepError(
            f"{room.place} ({where})",
            f"there is too little space{limit}: {lacking}. `snakemake space` shows it all",
            f"{remedy}, or {elsewhere}" if remedy else f"{elsewhere[0].upper()}{elsewhere[1:]}",
        )


def rooms_of(needed: Iterable[Need]) -> dict[Path, Room]:
    """The file system of the path of each need."""
    return {path: room_at(path) for path in sorted({need.path for need in needed})}


def shown(nbytes: float) -> str:
    """Bytes for people, in powers of 1000 as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:.1f} TB"


def grouped(count: int) -> str:
    """A count for people, its digits in groups of three."""
    return f"{count:,}".replace(",", " ")


def _name(part: Part) -> str:
    kind, name = part
    return f"{kind} {name}" if name else kind


def _by_room(needed: list[Need], rooms: Mapping[Path, Room]) -> list[tuple[Room, list[Need]]]:
    devices: dict[int, tuple[Room, list[Need]]] = {}
    for need in needed:
        room = rooms[need.path]
        devices.setdefault(room.device, (room, []))[1].append(need)
    return list(devices.values())


def _sums(rows: Iterable[Need]) -> tuple[int, int]:
    rows = list(rows)
    return sum(need.nbytes for need in rows), sum(need.files for need in rows)


def _fits(rows: Iterable[Need], room: Room) -> bool:
    nbytes, files = _sums(rows)
    return (room.nbytes is None or nbytes <= room.nbytes) and (room.files is None or files <= room.files)


def _leave_out(rows: list[Need], room: Room) -> str | None:
    """The products to leave out so that the rest fits, as little as possible, something of them being left."""
    choices = []
    for products, kinds in _CHOICES.items():
        rest = [need for need in rows if need.part[0] not in kinds]
        if _fits(rest, room) and any(need.part[0] in _MADE for need in rest):
            choices.append((_sums(rows)[0] - _sums(rest)[0], products, rest))
    if not choices:
        return None
    _, products, rest = min(choices)
    targets = "where targets are named, leave it out of those"
    return f"Leave out {products} (in products): the rest needs {shown(_sums(rest)[0])} and fits ({targets})"


def _without_train(rows: list[Need], room: Room) -> str | None:
    """The advice to do without the training set, where that helps."""
    rest = [need for need in rows if need.part[1] not in _OF_TRAIN]
    if not _fits(rest, room) or not any(need.part[1] in ("val", "validation") for need in rest):
        return None
    fits = f"the rest needs {shown(_sums(rest)[0])} and fits"
    targets = "where targets are named, name those of the validation set, such as imagefolder_val"
    return f"Leave out the training set (train and bbox_train in use): {fits} ({targets})"
