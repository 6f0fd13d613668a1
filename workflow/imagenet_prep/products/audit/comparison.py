"""The comparison of a split's samples, of whatever format, with what they should be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep import commands
from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.engine.image_reader import Numbers
from imagenet_prep.engine.plan import boundaries
from imagenet_prep.products.audit.facts import Facts
from imagenet_prep.products.audit.findings import SHOWN, Check, Mend
from imagenet_prep.products.audit.readings import (
    BOX_LABELS,
    CLASS_INDEX,
    CRC32C,
    FILENAME,
    HEADER,
    LENGTH,
    PATH,
    WNID,
)
from imagenet_prep.products.bboxes import BBoxes
from imagenet_prep.products.product import SplitProduct

Units = np.ndarray[Any, np.dtype[np.int32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_SAMPLES_AT_A_TIME = 1 << 18
_UNITS_IN_A_COMMAND = 8  # named one by one; of more, all of the split are made again
_UNIT = "unit"  # the column of the units' numbers
_OTHER_BYTES = "its bytes are not those of the archive"
_MISPLACED = "no image of the archives in use"
_SAID = {
    CRC32C: _OTHER_BYTES,
    LENGTH: _OTHER_BYTES,
    HEADER: "its image was encoded again, and is no RGB JPEG of its size",
    BOX_LABELS: "its boxes have another label than the image",
}


class AuditedSplit:
    """A split of a product, with all that its comparison and messages need.

    Attributes:
        product: the product.
        units: the paths of all its units, or of one that is a whole split by itself.
        pattern: what matches the units in a shell; "" where nothing does.
        is_file_each: whether each sample is a file of its own.
        mend: the command that makes what is missing.
        expected: the samples that it should have.
        order: the numbers of their images in the order of the samples, int64; None where it is that of file names.
        move_away: gives the command that takes away a file that does not belong there.
    """

    def __init__(self, product: SplitProduct, split: str, facts: Facts, mend: str, units: list[Path]) -> None:
        self._facts, self._split = facts, split
        self.product, self.mend = product, mend
        self.units = units
        pattern = product.pattern(facts, split)
        self.is_file_each = not pattern
        self.pattern = "" if product.is_each_unit_whole else pattern
        self.expected = product.expected(facts, split)
        self.order = product.order(facts.config, self.expected)
        self.move_away = partial(commands.move_away, output_dir=facts.output_dir)

    def names(self, numbers: Numbers) -> list[str]:
        """What the samples of the first of these images are called, by their numbers."""
        return self.product.names_of(self._facts, self._split, numbers[: SHOWN + 1])


@dataclass
class _Wrong:
    """The samples that are wrong in one way: the first by name, their number, and all units that they are in."""

    names: list[str] = field(default_factory=list)
    count: int = 0
    units: set[Path] = field(default_factory=set)


class Comparison:
    """Holds the samples of a split, as its units come, against what they should be.

    Memory is bounded by the samples that are compared at a time, and a number for each image.

    A sample that is wrong by itself is mended by making its file again; for that the file has to go, since what lies
    there counts as made. Where a whole set of shards does not add up, no shard can be blamed, and all are made again.

    Args:
        check: gets the figures, and what differs.
        split: that is compared.

    Attributes:
        unreadable: units that exist and cannot be read.
        changed: units that can be read and are not as they were made.
    """

    def __init__(self, check: Check, split: AuditedSplit) -> None:
        self._check, self._split, self._expected = check, split, split.expected
        self._product, self._is_file_each = split.product, split.is_file_each
        self._times = np.zeros(len(split.expected), np.int32)
        self._waiting: list[tuple[int, pa.Table]] = []
        self._samples_waiting = 0
        self._sizes: list[int] = []
        self._wrong: dict[str, _Wrong] = {}
        self._lacks_boxes = False
        self.unreadable: list[Path] = []
        self.changed: list[Path] = []
        self._disordered: list[Path] = []
        check.figures |= {self._product.samples: 0, "images": len(split.expected), self._product.unit: 0}

    def add(self, number: int, samples: pa.Table) -> None:
        """Add the samples of a unit, by its number."""
        self._sizes.append(len(samples))
        self._waiting.append((number, samples))
        self._samples_waiting += len(samples)
        if self._samples_waiting >= _SAMPLES_AT_A_TIME:
            self._compare()

    def finish(self) -> None:
        """Compare what is left, and look for what is missing."""
        self._compare()
        split, sizes = self._split, self._sizes
        self._check.figures[self._product.unit] = len(sizes)
        all_again = commands.remove(*split.units, pattern=split.pattern, then=split.mend)
        for what, wrong in self._wrong.items():
            self._check.add_each(what, wrong.names, self._mend_of(what, wrong, all_again), wrong.count)
        if not self._is_file_each and sizes and max(sizes) - min(sizes) > 1:
            found = f"{self._product.unit} of {min(sizes)} to {max(sizes)} {self._product.samples}"
            self._check.add(f"{split.pattern}: {found}: they should be even within one", all_again)
        # What a missing or damaged unit held is missing, too, and comes back with it; so does what has another name.
        explained = self._is_file_each or len(sizes) < len(split.units) or self._expected.unknown in self._wrong
        lack = self._mend_of_lack() if explained else all_again
        for what, numbers, mend in (
            ("it is missing", np.flatnonzero(self._times == 0), lack),
            ("it is there more than once", np.flatnonzero(self._times > 1), all_again),
        ):
            self._check.add_each(what, split.names(numbers), mend, len(numbers))
        if self._lacks_boxes:
            problem = f"it is missing, and the boxes in {self._product.name} are not looked at"
            self._check.add(f"{self._expected.lacks}: {problem}", commands.snakemake(BBoxes.name))
        self._add_changed(all_again)

    def _mend_of_lack(self) -> str:
        """The command that makes missing and unreadable units again; unreadable files have to go first."""
        mend = self._split.mend
        return commands.remove(*self.unreadable, then=mend) if self.unreadable else mend

    def _mend_of(self, what: str, wrong: _Wrong, all_again: str) -> Mend:
        if self._is_file_each:
            return self._split.move_away if what == _MISPLACED else f"rm -f {{}} && {self._split.mend}"
        return self._mend_of_units(wrong.units, all_again)

    def _mend_of_units(self, units: Collection[Path], all_again: str) -> str:
        return (
            commands.remove(*sorted(units), then=self._split.mend) if len(units) <= _UNITS_IN_A_COMMAND else all_again
        )

    def _add_changed(self, all_again: str) -> None:
        """Name the shards that are wrong as a whole, less those in which something else is wrong."""
        wrong = {unit for of in self._wrong.values() for unit in of.units}
        changed = [unit for unit in self.changed if unit not in wrong]
        disordered = [] if changed or self._check.problems else self._disordered
        for what, units in (
            ("it is not as it was made", changed),
            (f"its {self._product.samples} are not in the order that follows from shards.seed", disordered),
        ):
            self._check.add_each(what, [str(unit) for unit in units], self._mend_of_units(units, all_again))

    def _note(self, what: str, found: pa.Table, differs: pa.ChunkedArray) -> None:
        """Note the samples of which this is true."""
        if not pc.any(differs).as_py():
            return
        samples = found.select([_UNIT, PATH if self._is_file_each else FILENAME]).filter(differs)
        wrong = self._wrong.setdefault(what, _Wrong())
        wrong.units.update(self._split.units[number] for number in pc.unique(samples[_UNIT]).to_pylist())
        wrong.count += len(samples)
        for unit, name in zip(*(column.to_pylist() for column in samples[: SHOWN + 1 - len(wrong.names)]), strict=True):
            wrong.names.append(name if self._is_file_each else f"{self._split.units[unit]}: image {name}")

    def _compare(self) -> None:
        waiting, self._waiting, self._samples_waiting = self._waiting, [], 0
        if not waiting:
            return
        units = np.repeat(np.array([number for number, _ in waiting], np.int32), [len(found) for _, found in waiting])
        found = pa.concat_tables([found for _, found in waiting]).append_column(_UNIT, pa.array(units))
        figures = self._check.figures
        figures[self._product.samples] += len(found)
        if LENGTH in found.column_names:
            figures["bytes"] = figures.get("bytes", 0) + (pc.sum(found[LENGTH]).as_py() or 0)
        position, numbers, wanted = self._expected.find(found.drop_columns([_UNIT]))
        unknown = np.ones(len(found), bool)
        unknown[position] = False
        if self._is_file_each:  # what is in the folder of another class is no image of that class
            misplaced = _any_differs(found.take(pa.array(position)), wanted, (WNID, CLASS_INDEX))
            unknown[position[misplaced]] = True
            right = np.flatnonzero(~misplaced)
            position, numbers, wanted = position[right], numbers[right], wanted.take(pa.array(right))
        if self._split.order is not None:
            self._compare_order(waiting, units, position, numbers, self._split.order)
        self._times += np.bincount(numbers, minlength=len(self._times)).astype(np.int32)
        if len(position) < len(found):  # else a copy of all the samples would be held for nothing
            self._note(_MISPLACED if self._is_file_each else self._expected.unknown, found, pa.array(unknown))
            found = found.take(pa.array(position))
        self._compare_columns(found, wanted)

    def _compare_order(
        self, waiting: list[tuple[int, pa.Table]], units: Units, position: Numbers, numbers: Numbers, order: Numbers
    ) -> None:
        of_known, edges = units[position], boundaries(len(order), len(self._split.units))
        for unit, _ in waiting:
            if not np.array_equal(numbers[of_known == unit], order[edges[unit] : edges[unit + 1]]):
                self._disordered.append(self._split.units[unit])

    def _compare_columns(self, found: pa.Table, wanted: pa.Table) -> None:
        if BOX_LABELS in wanted.column_names:
            boxes = pc.sum(pc.list_value_length(found[BOX_LABELS])).as_py() or 0
            self._check.figures["boxes"] = self._check.figures.get("boxes", 0) + boxes
        self._lacks_boxes |= BOX_LABELS in found.column_names and BOX_LABELS not in wanted.column_names
        differing: dict[str, Mask] = {}
        for name in wanted.column_names:
            what = _SAID.get(name) or self._said(name, found.schema.field(name).type)
            differs = _differing(found[name], wanted[name])
            differing[what] = differing[what] | differs if what in differing else differs
        for what, differs in differing.items():
            self._note(what, found, pa.array(differs))

    def _said(self, name: str, kind: pa.DataType) -> str:
        what = f"boxes ({name})" if name in BOX_SIDES else name
        are = "are not those" if pa.types.is_list(kind) else "is not that"
        return f"its {what} in {self._product.name} {are} of the tables"


def _any_differs(found: pa.Table, wanted: pa.Table, names: Sequence[str]) -> Mask:
    differs = np.zeros(len(found), bool)
    for name in names:
        if name in wanted.column_names:
            differs |= _differing(found[name], wanted[name])
    return differs


def _differing(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> Mask:
    """Where values differ that should be something; what is null in `wanted` may be anything, a list is then empty."""
    found, wanted = found.combine_chunks(), pc.cast(wanted.combine_chunks(), found.type)
    if not pa.types.is_list(found.type):
        differs = pc.fill_null(pc.not_equal(found, wanted), True)
        return _mask(pc.and_(differs, pc.is_valid(wanted)))
    lengths, others = (pc.fill_null(pc.list_value_length(lists), 0) for lists in (found, wanted))
    different = _mask(pc.not_equal(lengths, others))
    same = pa.array(np.flatnonzero(~different))
    rows = np.repeat(same.to_numpy(), lengths.take(same).to_numpy())
    unequal = _mask(pc.not_equal(pc.list_flatten(found.take(same)), pc.list_flatten(wanted.take(same))))
    different[rows[unequal]] = True
    return different


def _mask(values: pa.BooleanArray) -> Mask:
    return np.array(values.to_numpy(zero_copy_only=False), bool)
