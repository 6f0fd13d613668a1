"""Which of the archives in a folder were made up, and from what: receipts beside them tell them from somebody's own.

As outputs of a rule, Snakemake would delete them before they are made again, whosever they are. A receipt is never
there with archives that are not what it says. While archives are replaced there is a note instead, which names what may
lie there then, so that also after a kill they are known as made up.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError, reading
from imagenet_prep.synthetic.archives import write
from imagenet_prep.synthetic.settings import Settings
from imagenet_prep.synthetic.world import World, plan

_RECEIPTS = "made-up.*.json"
_NOTE = "made-up.unfinished.json"  # becomes the receipt


@dataclass(frozen=True, order=True)
class _Made:
    """An archive that was made up, as it is known by."""

    file: str
    bytes: int
    sha256: str

    @classmethod
    def at(cls, path: Path, file: str) -> _Made:
        return cls(file, path.stat().st_size, atomic.sha256(path))

    def lies_in(self, folder: Path) -> bool:
        """Whether a file of this name and size does; reading it would take too long."""
        path = folder / self.file
        return path.is_file() and path.stat().st_size == self.bytes


@dataclass(frozen=True)
class _Receipt:
    """What was made in a folder.

    Attributes:
        settings: from which settings.
        archives: what was made from them.
        others: what else was made up, from other settings, or is about to be.
    """

    settings: Mapping[str, Any]
    archives: list[_Made]
    others: list[_Made]

    @classmethod
    def of(cls, settings: Settings, archives: Iterable[_Made], others: Iterable[_Made]) -> _Receipt:
        return cls(asdict(settings), sorted(archives), sorted(others))

    @classmethod
    def parse(cls, value: Any) -> _Receipt:
        archives, others = ([_Made(**made) for made in value[key]] for key in ("archives", "others"))
        return cls(value["settings"], archives, others)

    def write(self, path: Path) -> None:
        atomic.write_json(path, asdict(self))
        atomic.sync_folder(path.parent)


def make_archives(archives: Mapping[str, Path], settings: Settings, receipt: Path) -> None:
    """Make those archives of a made-up ILSVRC2012 that are missing or of other settings, and a receipt of all.

    Those that were made from these settings stay as they are. If the process is killed, another call makes it right.

    Args:
        archives: paths by name, as for `synthesize`, all in one folder.
        settings: seed and sizes.
        receipt: the JSON file beside them that is written last, `made-up.*.json`. It has the keys "settings",
            "archives" and "others" (made up, but not from these settings); each archive has a "file", its "bytes" and
            its "sha256". All other receipts in the folder are removed.

    Raises:
        PrepError: where an archive belongs lies a file that was not made up; nothing was changed.
    """
    folder = receipt.parent
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / _NOTE
    for path in (*archives.values(), note):
        atomic.remove_leftovers(path)
    receipts = _receipts(folder)
    ours = {made for it in receipts.values() for made in (*it.archives, *it.others) if made.lies_in(folder)}
    same = (it for it in receipts.values() if it.settings == asdict(settings))
    good = {made.file: made for it in same for made in it.archives if made in ours}
    names = {made.file for made in ours}
    world = plan(settings)
    for name, path in archives.items():
        if path.name not in names and os.path.lexists(path):
            good[path.name] = _made_without_receipt(name, path, world)
    new = {}
    with contextlib.ExitStack() as renaming:
        for name, path in archives.items():
            if path.name not in good:
                partial = renaming.enter_context(atomic.replacing(path))
                write(name, world, partial)
                new[path.name] = _Made.at(partial, path.name)
        others = ours.difference(good.values())
        _Receipt.of(settings, good.values(), others.union(new.values())).write(note)
        for path in receipts.keys() - {note}:
            path.unlink(missing_ok=True)
        atomic.sync_folder(folder)
    atomic.sync_folder(folder)
    good |= new
    _Receipt.of(settings, good.values(), (made for made in others if made.file not in good)).write(note)
    os.replace(note, receipt)
    atomic.sync_folder(folder)


def _receipts(folder: Path) -> dict[Path, _Receipt]:
    """Receipts in a folder, and the note that a killed process has left; other files, and damaged ones, say nothing."""
    found = {}
    for path in filter(Path.is_file, folder.glob(_RECEIPTS)):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found[path] = _Receipt.parse(json.loads(path.read_text(encoding="utf-8")))
    return found


def _made_without_receipt(name: str, path: Path, world: World) -> _Made:
    """What lies at a path, if it is what would be made there: a receipt may have been lost, or never written."""
    if path.is_file():
        partial = atomic.partial_path(path)
        try:
            with reading(path):
                write(name, world, partial)
            made = _Made.at(partial, path.name)
        finally:
            partial.unlink(missing_ok=True)
        if made.lies_in(path.parent) and atomic.sha256(path) == made.sha256:
            return made
    raise PrepError(
        path,
        "it lies where a made-up archive is to be written, and was not made up here, so that it may be your own",
        "Choose another archives_dir for the made-up ones, or move this file away",
    )
