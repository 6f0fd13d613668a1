"""The whole page: gathers what it shows, and writes its files.

All of it follows from what lies in the output folder, and is the same each time, but for the times of the run: they
stand in a file of their own.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep import atomic
from imagenet_prep.datasets.classes import read_classes
from imagenet_prep.datasets.dataset import Split, own_splits
from imagenet_prep.datasets.devkit import SYNSETS
from imagenet_prep.engine.receipts import ARCHIVES, STATE
from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.engine.step import ALL
from imagenet_prep.formats import parquet
from imagenet_prep.products.registry import IMAGE_TABLE, LABELS, PAGE, SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS
from imagenet_prep.products.report import CLASSES_A_SHEET
from imagenet_prep.report import model_scores, oddities, overview, timings
from imagenet_prep.report.box_figures import Boxes
from imagenet_prep.report.files import ASSETS, COPIED
from imagenet_prep.report.page_inputs import PageInputs, version
from imagenet_prep.report.rendering import render
from imagenet_prep.report.samples import A_CLASS, SIDE, Shown
from imagenet_prep.report.survey import Survey, survey
from imagenet_prep.report.synset_tree import taxonomy

_CLASS = ["wnid", "words", "class_index", "tf_label", "ilsvrc2012_id"]  # what the page tells of a class
_VERSIONS = ("snakemake", "pyarrow", "Pillow")


class Page(PageInputs):
    """The page of an output folder, from what it is made of."""

    @property
    def folder(self) -> Path:
        """The folder that the page is in."""
        return self.path(PAGE).parent

    def write(self) -> None:
        """Write all files of the page but the sheets, `index.html` last.

        Raises:
            PrepError: something that the page is made of is missing or damaged.
        """
        found = survey(self.path(IMAGE_TABLE), [split.name for split in self.splits])
        classes = read_classes(self.path(LABELS) / "classes.csv").select(_CLASS).to_pylist()
        synsets = parquet.read(self.path(LABELS) / "synsets.parquet", schema=SYNSETS)
        gloss = dict(zip(synsets["wnid"].to_pylist(), synsets["gloss"].to_pylist(), strict=True))
        classes = [{**row, "gloss": gloss[row["wnid"]]} for row in classes]
        models = model_scores.models(self.output_dir, self.scores)
        boxes = self._boxes(found)
        odd = self._odd(found, boxes, {row["wnid"]: row["words"] for row in classes})
        self._write_classes(classes, found, boxes, synsets, [it.name for it in models])
        for name in COPIED:
            atomic.write_text(self.folder / name, (ASSETS / name).read_text(encoding="utf-8"))
        self._write_run(found)
        atomic.write_text(self.folder / "index.html", render(self, found, boxes, classes, odd, models))

    def _boxes(self, found: Survey) -> Boxes:
        shown = {it.filename for it in self.drawn.orientations}
        boxes = Boxes()
        for split, path in self.boxes.items():
            boxes.read(path, split, found.images[split], self.config["classes"], shown)
        return boxes

    def _odd(self, found: Survey, boxes: Boxes, words: Mapping[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "title": group.title,
                "count": group.count,
                "note": group.note,
                "pictures": oddities.as_rows(group, self.drawn.odd, boxes.shown, words, self.encoding),
            }
            for group in oddities.groups(found, self.drawn.orientations)
        ]

    @cached_property
    def encoding(self) -> oddities.Encoding:
        """Which images the shards hold encoded again."""
        made = [product for name, product in SHARDED_PRODUCTS.items() if name in self.config["products"]]
        splits = {it.split_of_images(self.config, split) for it in made for split in it.splits_in_use(self.config)}
        return oddities.Encoding(Reencoding.of(self.config["shards"]), splits)

    def _write_classes(
        self,
        classes: Sequence[Mapping[str, Any]],
        found: Survey,
        boxes: Boxes,
        synsets: pa.Table,
        models: list[str],
    ) -> None:
        odd: dict[str | None, list[tuple[str, str]]] = {}
        turned = oddities.turned_of(self.drawn.orientations)
        for why, pictures in (*found.odd.items(), ("EXIF orientation", turned)):
            for it in pictures:
                odd.setdefault(it.wnid, []).append((it.filename, why))
        images = {
            row["wnid"]: {split: counts[row["wnid"]] for split, counts in found.of_class.items() if counts[row["wnid"]]}
            for row in classes
        }
        own = {wnid: _own(self.splits, counts) for wnid, counts in images.items()}
        scores = model_scores.by_class(self.output_dir, models)
        data = {
            "sheet": {
                "side": SIDE,
                "width": SIDE * A_CLASS,
                "classes": CLASSES_A_SHEET,
                "names": list(self.sheets),
            },
            "classes": [
                {
                    **{key: row[key] for key in _CLASS},
                    "images": images[row["wnid"]],
                    "samples": self._samples(self.drawn.samples.get(row["wnid"], []), boxes),
                    "odd": odd.get(row["wnid"], []),
                    "scores": scores.get(row["wnid"], []),
                }
                for row in classes
            ],
            "synsets": taxonomy(synsets, images.keys(), own),
        }
        self._write_data("classes", data)

    def _samples(self, line: Sequence[Shown], boxes: Boxes) -> list[list[Any]]:
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
            for it, size, orientation in line
        ]

    def _write_run(self, found: Survey) -> None:
        archives = {row["name"]: row["nbytes"] for row in overview.archives_table(self.receipts)}
        # A product with splits of its own goes through a part of the images, so that their bytes give no rate.
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


def _own(splits: Sequence[Split], counts: Mapping[str, int]) -> int:
    """How many images of a class are in the own splits among those in use; in all of them where it has none there."""
    return sum(counts.get(split.name, 0) for split in own_splits(splits)) or sum(counts.values())
