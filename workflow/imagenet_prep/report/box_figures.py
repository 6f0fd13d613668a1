"""One pass over the bounding boxes: their number, size and place; and the boxes of the images that are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.formats import parquet
from imagenet_prep.report.statistics import Coverage, Histogram

CELLS = 24
"""Of the map of where boxes lie, along each side."""

_COLUMNS = ("filename", "image_wnid", *BOX_SIDES, "usable", "problem")
_MOST = 100  # boxes of an image that are told apart; more count as these

Box = tuple[float, float, float, float]


@dataclass
class Boxes:
    """The figures of the boxes of all splits. Histograms are of usable boxes, with a series a split.

    Attributes:
        boxes, usable: number of all boxes, and of the usable ones, by split.
        problems: how often each problem is noted, by split.
        an_image: how many boxes an image has.
        area: of a box, as a share of its image's.
        coverage: which part of their images the boxes cover.
        shown: by split and file name, the usable boxes of the images asked for: xmin, ymin, xmax, ymax, 0 ... 1.
    """

    boxes: dict[str, int] = field(default_factory=dict)
    usable: dict[str, int] = field(default_factory=dict)
    problems: dict[str, Counter[str]] = field(default_factory=dict)
    an_image: Histogram = field(default_factory=lambda: Histogram(1, _MOST))
    area: Histogram = field(default_factory=lambda: Histogram(0.01, 100))
    coverage: Coverage = field(default_factory=lambda: Coverage(CELLS))
    shown: dict[tuple[str, str], list[Box]] = field(default_factory=dict)

    def read(self, path: Path, split: str, images: int, wnids: Collection[str] | None, shown: Collection[str]) -> None:
        """Add the boxes of a split.

        Args:
            path: the table of its boxes, those of an image one behind the other.
            split: its name.
            images: how many images it has.
            wnids: of the images that count, None for all.
            shown: file names of the images whose boxes are wanted.

        Raises:
            PrepError: the table is missing or damaged.
        """
        file = parquet.open_table(path)
        names = pa.array(sorted(shown), pa.string())
        chosen = None if wnids is None else pa.array(sorted(wnids), pa.string())
        counts = np.zeros(_MOST + 1, np.int64)
        last, so_far = None, 0  # the image that may go on in the next row group, and its boxes up to here
        self.boxes[split] = self.usable[split] = 0
        self.problems[split] = Counter()
        for group in range(file.num_row_groups):
            table = parquet.read_groups(file, path, [group], _COLUMNS)
            if chosen is not None:
                table = table.filter(pc.is_in(table["image_wnid"], value_set=chosen))
            self.boxes[split] += len(table)
            for it in pc.value_counts(table["problem"].drop_null()).to_pylist():
                self.problems[split].update(dict.fromkeys(it["values"].split("; "), it["counts"]))
            usable = table.filter(table["usable"])
            self.usable[split] += len(usable)
            self._add(split, usable, names)
            runs = pc.run_end_encode(usable["filename"].combine_chunks())
            lengths = np.diff(np.asarray(runs.run_ends), prepend=0).astype(np.int64)
            if len(lengths):
                first, ending = runs.values[0].as_py(), runs.values[-1].as_py()
                if first == last:
                    lengths[0] += so_far
                elif last is not None:
                    counts[min(so_far, _MOST)] += 1
                last, so_far = ending, int(lengths[-1])
                counts += np.bincount(np.minimum(lengths[:-1], _MOST), minlength=_MOST + 1)
        if last is not None:
            counts[min(so_far, _MOST)] += 1
        counts[0] = max(0, images - int(counts.sum()))
        self.an_image.counts[split] = counts

    def _add(self, split: str, usable: pa.Table, names: pa.Array) -> None:
        xmin, ymin, xmax, ymax = (usable[edge].to_numpy() for edge in BOX_SIDES)
        self.area.add(split, (xmax - xmin) * (ymax - ymin))
        self.coverage.add(xmin, ymin, xmax, ymax)
        for row in usable.filter(pc.is_in(usable["filename"], value_set=names)).to_pylist():
            box = (row["xmin"], row["ymin"], row["xmax"], row["ymax"])
            self.shown.setdefault((split, row["filename"]), []).append(box)
