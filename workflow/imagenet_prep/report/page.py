"""The whole page: gathers what it shows, and writes its files.

All of it follows from what lies in the output folder, and is the same each time, but for the times of the run: they
stand in a file of their own.
"""

from __future__ import annotations

import functools
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.classes import read_classes
from imagenet_prep.datasets.dataset import Split
from imagenet_prep.datasets.devkit import SYNSETS
from imagenet_prep.engine.archive_paths import archive_of
from imagenet_prep.engine.receipts import ARCHIVES, STATE
from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.engine.step import ALL
from imagenet_prep.formats import parquet
from imagenet_prep.formats.picture import Thumbnail
from imagenet_prep.products.registry import IMAGE_TABLE, LABELS, PAGE, SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS
from imagenet_prep.progress import Progress
from imagenet_prep.report import oddities, overview, timings
from imagenet_prep.report.box_figures import Boxes
from imagenet_prep.report.files import CLASSES_A_SHEET, COPIED
from imagenet_prep.report.page_inputs import Subject, own_splits, version
from imagenet_prep.report.rendering import render
from imagenet_prep.report.samples import (
    A_CLASS,
    SIDE,
    Sheet,
    Thumbnails,
    choose,
    make_sheet,
    make_thumbnails,
    orientation,
    write_sheet,
)
from imagenet_prep.report.survey import Picture, Survey, survey
from imagenet_prep.report.synset_tree import taxonomy

ASSETS = Path(__file__).resolve().parent / "assets"
_SHEETS_LIMIT = 12_500_000  # bytes of all sheets of sample images, so that the page stays below 15 MB
_ODD_LIMIT = 500_000
_CLASS = ["wnid", "words", "class_index", "tf_label", "ilsvrc2012_id"]  # what the page tells of a class
_VERSIONS = ("snakemake", "pyarrow", "Pillow")


class Page(Subject):
    """The page of what lies in an output folder."""

    @property
    def folder(self) -> Path:
        """The folder that the page is in."""
        return self.path(PAGE).parent

    @property
    def _archives(self) -> dict[str, Path]:
        return {self.config["archives"][name]["file"]: archive_of(self.config, name) for name in self.config["use"]}

    def write(self, processes: int) -> None:
        """Write all files of the page, `index.html` last, and take away sheets of an older configuration.

        Args:
            processes: how many make thumbnails side by side.

        Raises:
            PrepError: something that the page is made of is missing or damaged.
        """
        table = self.path(IMAGE_TABLE)
        found = survey(table, [split.name for split in self.splits])
        classes = read_classes(self.path(LABELS) / "classes.csv").select(_CLASS).to_pylist()
        samples = choose(table, [row["wnid"] for row in classes], self.splits) if self.sheets else {}
        boxes = self._boxes(found, samples)
        with ProcessPoolExecutor(processes) as pool:
            # As many in each process, which begin before the sheets do.
            shares = [list(dict.fromkeys(found.odd_pictures))[number::processes] for number in range(processes)]
            odd = pool.map(functools.partial(make_thumbnails, archives=self._archives), shares)
            made = self._make_sheets(list(samples.values()), pool)
            sampled = dict(zip(samples, zip(samples.values(), made, strict=True), strict=True))
            thumbnails = {it: thumbnail for part in odd for it, thumbnail in part.items()}
        turns = _orientations(sampled.values(), thumbnails)
        turned = [it for it, turn in turns.items() if turn != 1]
        groups = oddities.groups(found, turned, len(turns))
        others = [it for group in groups for it in group.pictures if it not in thumbnails]
        thumbnails |= make_thumbnails(others, self._archives)
        shown = self._write_odd(groups, thumbnails, boxes, {row["wnid"]: row["words"] for row in classes})
        self._write_classes(classes, found, sampled, turned, boxes)
        for name in COPIED:
            atomic.write_text(self.folder / name, (ASSETS / name).read_text(encoding="utf-8"))
        for path in self.folder.glob("samples-*.webp"):
            if path.name not in self.sheets:
                path.unlink()
        self._write_run(found)
        atomic.write_text(self.folder / "index.html", render(self, found, boxes, classes, shown))

    def _boxes(self, found: Survey, samples: Mapping[str, list[Picture]]) -> Boxes:
        shown = {it.filename for it in found.odd_pictures}
        shown |= {it.filename for pictures in samples.values() for it in pictures}
        boxes = Boxes()
        for split, path in self.boxes.items():
            boxes.read(path, split, found.images[split], self.config["classes"], shown)
        return boxes

    def _make_sheets(self, lines: Sequence[Sequence[Picture]], pool: Executor) -> list[Thumbnails]:
        limit = _SHEETS_LIMIT // max(len(self.sheets), 1)
        sheets = [
            Sheet(lines[number * CLASSES_A_SHEET : (number + 1) * CLASSES_A_SHEET], A_CLASS, self.folder / name, limit)
            for number, name in enumerate(self.sheets)
        ]
        progress = Progress("making thumbnails", len(lines), "classes")
        made: list[Thumbnails] = []
        for of_sheet in pool.map(functools.partial(make_sheet, archives=self._archives), sheets):
            made += of_sheet
            progress.advance(len(of_sheet))
        return made

    def _write_odd(
        self,
        groups: Sequence[oddities.Group],
        thumbnails: Mapping[Picture, Thumbnail | None],
        boxes: Boxes,
        words: Mapping[str, str],
    ) -> list[dict[str, Any]]:
        pictures = list(dict.fromkeys(it for group in groups for it in group.pictures))
        columns = oddities.COLUMNS
        lines = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
        write_sheet(Sheet(lines, columns, self.folder / "odd.webp", _ODD_LIMIT), thumbnails)
        places = {it: (number % columns, number // columns) for number, it in enumerate(pictures)}
        return [
            {
                "title": group.title,
                "count": group.count,
                "note": group.note,
                "pictures": oddities.as_rows(group, places, thumbnails, boxes.shown, words, self.encoding),
            }
            for group in groups
        ]

    @property
    def encoding(self) -> oddities.Encoding:
        """Which images the shards hold encoded again."""
        made = [product for name, product in SHARDED_PRODUCTS.items() if name in self.config["products"]]
        splits = {it.split_of_images(self.config, split) for it in made for split in it.splits_in_use(self.config)}
        return oddities.Encoding(Reencoding.of(self.config["shards"]), splits)

    def _write_classes(
        self,
        classes: Sequence[Mapping[str, Any]],
        found: Survey,
        samples: Mapping[str, tuple[list[Picture], Thumbnails]],
        turned: Sequence[Picture],
        boxes: Boxes,
    ) -> None:
        odd: dict[str | None, list[tuple[str, str]]] = {}
        for why, pictures in (*found.odd.items(), ("EXIF orientation", turned)):
            for it in pictures:
                odd.setdefault(it.wnid, []).append((it.filename, why))
        images = {
            row["wnid"]: {split: counts[row["wnid"]] for split, counts in found.of_class.items() if counts[row["wnid"]]}
            for row in classes
        }
        own = {wnid: _own(self.splits, counts) for wnid, counts in images.items()}
        synsets = parquet.read(self.path(LABELS) / "synsets.parquet", schema=SYNSETS)
        data = {
            "sheet": {
                "side": SIDE,
                "width": SIDE * A_CLASS,
                "classes": CLASSES_A_SHEET,
                "names": list(self.sheets),
            },
            "classes": [
                {
                    **row,
                    "images": images[row["wnid"]],
                    "samples": self._samples(*samples.get(row["wnid"], ([], Thumbnails())), boxes),
                    "odd": odd.get(row["wnid"], []),
                }
                for row in classes
            ],
            "synsets": taxonomy(synsets, images.keys(), own),
        }
        self._write_data("classes", data)

    def _samples(self, pictures: Sequence[Picture], made: Thumbnails, boxes: Boxes) -> list[list[Any]]:
        return [
            [
                it.filename,
                it.split,
                it.width,
                it.height,
                it.length,
                size,
                oddities.marks(it, orientation, self.encoding),
                oddities.permille(boxes.shown.get((it.split, it.filename), [])),
            ]
            for it, size, orientation in zip(pictures, made.sizes, made.orientations, strict=True)
        ]

    def _write_run(self, found: Survey) -> None:
        archives = {row["name"]: row["nbytes"] for row in overview.archives_table(self.receipts)}
        # A product with splits of its own is made of some of the images, and what it goes through is no measure.
        splits = self.dataset.splits
        whole = [
            it.rule
            for it in SPLIT_PRODUCTS.values()
            if it.goes_through_images and set(it.splits(self.dataset)) <= splits.keys()
        ]
        nbytes = {(rule, it): size for it, size in found.nbytes.items() for rule in whole}
        of_archives = [rule for rule, folder in self.stages.items() if folder == ARCHIVES]
        nbytes |= {(rule, name): size for name, size in archives.items() for rule in of_archives}
        subjects = {*archives, *(subject for _, subject in timings.followed(STEPS, self.config, (PAGE.name, ALL)))}
        folder = self.output_dir
        taken = timings.read_stages(folder / "benchmarks", folder / STATE, self.stages, subjects, nbytes)
        run = {
            "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "versions": {"Python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
            "began": min((stage.began for stage in taken), default=0.0),
            "ended": max((stage.ended for stage in taken), default=0.0),
            "stages": [asdict(stage) for stage in taken],
        }
        self._write_data("run", run)

    def _write_data(self, name: str, data: Any) -> None:
        """A script, since a page that is opened from a disk may load nothing else."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        atomic.write_text(self.folder / f"{name}.js", f"dataset.{name} = {text};\n")


def _orientations(
    sampled: Iterable[tuple[Sequence[Picture], Thumbnails]], odd: Mapping[Picture, Thumbnail | None]
) -> dict[Picture, int]:
    """That of EXIF, of every image that was looked at: the samples, then the odd ones; each is there once."""
    found = {it: turn for pictures, made in sampled for it, turn in zip(pictures, made.orientations, strict=True)}
    return found | {it: orientation(thumbnail) for it, thumbnail in odd.items()}


def _own(splits: Sequence[Split], counts: Mapping[str, int]) -> int:
    """Images of a class, of which the splits in use have so many; others count where they are all that there is."""
    return sum(counts.get(split.name, 0) for split in own_splits(splits)) or sum(counts.values())
