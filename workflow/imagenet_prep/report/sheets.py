"""The sheets of thumbnails, straight from the archives: samples of every class, and the odd images."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import signals
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import read_classes
from imagenet_prep.datasets.dataset import Split
from imagenet_prep.engine.archive_paths import archive_of
from imagenet_prep.products.registry import IMAGE_TABLE, LABELS, PAGE
from imagenet_prep.products.report import CLASSES_A_SHEET, ODD, sheet_names
from imagenet_prep.progress import Progress
from imagenet_prep.report import oddities
from imagenet_prep.report.samples import A_CLASS, Sheet, Shown, choose, make_sheet, make_thumbnails, write_sheet
from imagenet_prep.report.survey import Picture, Survey, survey

_SHEETS_LIMIT = 12_500_000  # bytes of all sheets of sample images, so that the page stays below 15 MB
_ODD_LIMIT = 500_000


@dataclass(frozen=True)
class Drawn:
    """What is on the sheets.

    Attributes:
        samples: the images that stand for a class, by its WNID, in the order of the lines.
        odd: those on the sheet of odd images, line by line.
    """

    samples: dict[str, list[Shown]]
    odd: list[Shown]

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Drawn:
        """What the receipt of the sheets says is on them."""
        samples = {wnid: [Shown.parse(it) for it in line] for wnid, line in body["samples"].items()}
        return cls(samples, [Shown.parse(it) for it in body["odd"]])

    @property
    def orientations(self) -> dict[Picture, int]:
        """The EXIF orientation of every image that is shown: first the samples, then the odd ones; each once."""
        lines: Iterable[Sequence[Shown]] = (*self.samples.values(), self.odd)
        return {it.picture: it.orientation for line in lines for it in line}


@dataclass(frozen=True)
class Sheets:
    """The sheets of a dataset.

    Attributes:
        table: the table of images.
        classes: the file of the classes in use.
        splits: those in use.
        archives: where each archive lies, by the name that the table of images has for it; "" is `archives_dir`.
        folder: where the sheets go.
        names: file names of the sheets of samples.
        boxes: paths of the tables of boxes, by split: with them, each class that has a box has a sample with one.
    """

    table: Path
    classes: Path
    splits: Sequence[Split]
    archives: Mapping[str, Path]
    folder: Path
    names: Sequence[str]
    boxes: Mapping[str, Path]

    @classmethod
    def of(cls, config: Mapping[str, Any], boxes: Mapping[str, Path]) -> Sheets:
        """The sheets of a configuration, complete, from the tables in its output folder and these of boxes."""
        output, splits = Path(config["output_dir"]), dataset_of(config).splits_in_use(config)
        return cls(
            table=output / IMAGE_TABLE.path,
            classes=output / LABELS.path / "classes.csv",
            splits=splits,
            archives={
                **{config["archives"][it.archive]["file"]: archive_of(config, it.archive) for it in splits},
                "": Path(os.path.abspath(config["archives_dir"])),
            },
            folder=(output / PAGE.path).parent,
            names=sheet_names(config),
            boxes=boxes,
        )

    def write(self, processes: int) -> Drawn:
        """Write all of them, and take away those of an older configuration; so many processes work side by side.

        Raises:
            PrepError: something that they are made of is missing or damaged.
        """
        wnids = read_classes(self.classes)["wnid"].to_pylist()
        samples = choose(self.table, wnids, self.splits, self.boxes) if self.names else {}
        with ProcessPoolExecutor(processes, initializer=signals.leave_at_once) as pool:
            sheets = self._sheets(list(samples.values()))
            of_sheets = pool.map(functools.partial(make_sheet, archives=self.archives), sheets)
            found = survey(self.table, [split.name for split in self.splits])  # while the first ones are made
            # Small shares come last, so that no process has long to wait for the others.
            shares = [list(dict.fromkeys(found.odd_pictures))[number::processes] for number in range(processes)]
            odd = pool.map(functools.partial(make_thumbnails, archives=self.archives), shares)
            progress = Progress("making thumbnails", len(samples), "classes")
            made: list[list[Shown]] = []
            for of_sheet in of_sheets:
                made += of_sheet
                progress.advance(len(of_sheet))
            thumbnails = {it: thumbnail for part in odd for it, thumbnail in part.items()}
        drawn = Drawn(dict(zip(samples, made, strict=True)), [Shown.of(it, made) for it, made in thumbnails.items()])
        pictures = _odd(found, drawn)
        thumbnails |= make_thumbnails([it for it in pictures if it not in thumbnails], self.archives)
        columns = oddities.COLUMNS
        lines = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
        of_lines = write_sheet(Sheet(lines, columns, self.folder / ODD, _ODD_LIMIT), thumbnails)
        for path in self.folder.glob("samples-*.webp"):
            if path.name not in self.names:
                path.unlink()
        return Drawn(drawn.samples, [it for line in of_lines for it in line])

    def _sheets(self, lines: Sequence[Sequence[Picture]]) -> list[Sheet]:
        limit = _SHEETS_LIMIT // max(len(self.names), 1)
        return [
            Sheet(lines[number * CLASSES_A_SHEET : (number + 1) * CLASSES_A_SHEET], A_CLASS, self.folder / name, limit)
            for number, name in enumerate(self.names)
        ]


def _odd(found: Survey, drawn: Drawn) -> list[Picture]:
    """The odd images, in the order in which they stand on their sheet."""
    groups = oddities.groups(found, drawn.orientations)
    return list(dict.fromkeys(it for group in groups for it in group.pictures))
