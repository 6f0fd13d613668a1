"""The images of a split as a sequence of samples, each read out of the archive when it is asked for."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.errors import AGAIN, MISSING, PrepError
from imagenet_prep.reading.archive import LocalArchive, opened

Sample = tuple[Any, ...]
Transform = Callable[[bytes], Any]
Numbers = np.ndarray[Any, np.dtype[np.int64]]

IMAGES, BOXES = "tables/images.parquet", "tables/bboxes.parquet"
_NO_CLASS = -1
_OTHERWISE = "Read class folders as they are (torchvision.datasets.ImageFolder), or what the workflow has made of them"
_MAGIC = (b"\xff\xd8", b"\x89P")  # of JPEG and PNG


class Images:
    """The images of a split, read straight out of the archive: a PyTorch `Dataset`, and a data source for Grain.

    A sample is `(image, class_index)`, or `(image, class_index, boxes)`: the bytes of the file as they are in the
    archive (JPEG, of a few images CMYK, and one PNG), or what `transform` makes of them; the number of the class, an
    int (-1 in the test set, which has none); and the image's boxes, float32 of shape (n, 4): xmin, ymin, xmax and ymax,
    from 0 to 1 of the width and height.

    Samples are in the order of `tables/images.parquet`: by class and file name. In memory are 14 bytes an image, and
    with boxes about 12 more, which forked workers share with the process that they come from; spawned ones get a copy.
    File names are read when they are asked for. An archive that is a local file is read by `pread`, so that processes
    and threads do not disturb each other; each process opens one that lies elsewhere for itself.

    Args:
        results: the `output_dir` of the workflow, or a folder with a copy of its `tables/`.
        split: "train", "validation", "test" or "train_t3".
        transform: what is made of the bytes of an image, in the process that reads it.
        boxes: whether a sample has boxes; needs `tables/bboxes.parquet`.
        archive: another place of the split's archive than `archives/` in `results`: a path, or any address that fsspec
            knows, such as https://…, s3://… or gs://… (which needs fsspec and its client of that store).

    Raises:
        PrepError: a table is missing or damaged, has no such split, or reaches beyond the archive's end; or the images
            lie in folders.
    """

    def __init__(
        self,
        results: str | os.PathLike[str],
        split: str = "train",
        transform: Transform | None = None,
        boxes: bool = False,
        archive: str | os.PathLike[str] | None = None,
    ) -> None:
        self.results, self.split, self.transform = Path(results), split, transform
        table = _table(self.results / IMAGES)
        groups = _groups_of(table, split, self.results / IMAGES)
        columns = _read(table, self.results / IMAGES, groups, ["offset", "length"])
        self._offsets: Numbers = _numbers(columns["offset"])
        self._lengths = _numbers(columns["length"])
        self._classes = _classes(table, self.results / IMAGES, groups)
        self._groups = np.array(groups, np.int32)
        self._ends = np.cumsum([table.metadata.row_group(group).num_rows for group in groups])
        self._boxes = _boxes(self.results, split, table, groups) if boxes else None
        first, last = (table.read_row_group(it, columns=["archive"])["archive"] for it in (groups[0], groups[-1]))
        name = first[0].as_py()
        if not self._offsets.all() or last[-1].as_py() != name:  # in a tar, a header comes first
            problem = f"the {split} images lie in no archive: they are files of a folder, or of several tars in one"
            raise PrepError(self.results / IMAGES, problem, _OTHERWISE)
        self._archive = opened(self.results / "archives" / name if archive is None else archive)
        self._names: tuple[int, Sequence[str]] | None = None
        behind = int(np.argmax(self._offsets))
        self._archive.expect_bytes(int(self._offsets[behind]) + int(self._lengths[behind]))

    def __len__(self) -> int:
        """The number of images."""
        return len(self._offsets)

    def __repr__(self) -> str:
        """What it is of; the same in every process, as Grain's checkpoints ask for."""
        return f"Images({str(self.results)!r}, split={self.split!r})"

    def __getitem__(self, index: int) -> Sample:
        """One sample.

        Raises:
            IndexError: there is no such sample.
            PrepError: the archive is gone, was cut off, or is another one than the table is of.
        """
        number = self._number(index)
        return self._sample(number, self._archive.read(self._offsets.item(number), self._lengths.item(number)))

    def __getitems__(self, indices: Iterable[int]) -> list[Sample]:
        """Several samples, in this order; neighbours in the archive are read together. Raises as `__getitem__`."""
        numbers = [self._number(index) for index in indices]
        found = self._archive.read_all(self._offsets[numbers].tolist(), self._lengths[numbers].tolist())
        return [self._sample(number, data) for number, data in zip(numbers, found, strict=True)]

    def filename(self, index: int) -> str:
        """The file name of an image, such as `n01440764_10026.JPEG`; raises as the constructor, and IndexError."""
        number = self._number(index)
        group = int(np.searchsorted(self._ends, number, "right"))
        if self._names is None or self._names[0] != group:
            path = self.results / IMAGES
            names = _read(_table(path), path, [int(self._groups[group])], ["filename"])["filename"].to_pylist()
            self._names = group, names
        return self._names[1][number - int(self._ends[group])]

    @property
    def offsets(self) -> Numbers:
        """Where each image begins in the archive, in bytes: int64 of shape (len,)."""
        return self._offsets

    def will_need(self, indices: Numbers) -> None:
        """Have the system read ahead from the first of these images in the archive to the last, if it can."""
        if isinstance(self._archive, LocalArchive) and len(indices):
            offsets = self._offsets[indices]
            last = indices[int(np.argmax(offsets))]
            start = int(offsets.min())
            self._archive.will_need(start, int(self._offsets[last]) + int(self._lengths[last]) - start)

    def __getstate__(self) -> dict[str, Any]:
        """Without names, which are read again."""
        return {**self.__dict__, "_names": None}

    def _number(self, index: int) -> int:
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self!r} has {len(self)} images, and none of number {number}")
        return number % len(self)

    def _sample(self, number: int, data: bytes) -> Sample:
        if not data.startswith(_MAGIC):
            raise PrepError(
                self._archive.place,
                "no image begins where the table has one: it is another archive than the table is of",
                f"Give the archive that {self.results / IMAGES} was made of",
                member=self.filename(number),
                offset=int(self._offsets[number]),
            )
        image = data if self.transform is None else self.transform(data)
        if self._boxes is None:
            return image, self._classes.item(number)
        starts, sides = self._boxes
        return image, int(self._classes[number]), sides[starts[number] : starts[number + 1]]


def _table(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True, memory_map=True)
    except FileNotFoundError:
        raise PrepError(path, "the table is missing", MISSING) from None
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> PrepError:
    return PrepError(path, f"the table is damaged and cannot be read ({str(error).strip().splitlines()[0]})", AGAIN)


def _groups_of(table: pq.ParquetFile, split: str, path: Path) -> list[int]:
    """The row groups of a split; each is of one."""
    names = table.schema_arrow.names
    found: dict[str, list[int]] = {}
    for group in range(table.metadata.num_row_groups if "split" in names else 0):
        statistics = table.metadata.row_group(group).column(names.index("split")).statistics
        if statistics is None or statistics.min != statistics.max:
            raise PrepError(path, "a row group of the table is not of one split", AGAIN)
        found.setdefault(statistics.min, []).append(group)
    if split not in found:
        raise PrepError(path, f"the table has no split {split!r}", f"Its splits are {', '.join(found)}")
    return found[split]


def _read(table: pq.ParquetFile, path: Path, groups: list[int], columns: list[str]) -> pa.Table:
    try:
        return table.read_row_groups(groups, columns=columns)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _damaged(path, error) from error


def _numbers(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """A column without nulls as an array. `to_numpy` would import pandas for it, which takes half a second."""
    return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks] or [np.zeros(0)])


def _classes(table: pq.ParquetFile, path: Path, groups: list[int]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The class of each image. Most row groups of the training set have one class, which their statistics tell."""
    column = table.schema_arrow.names.index("class_index")
    found = []
    for group in groups:
        of_group = table.metadata.row_group(group)
        known = of_group.column(column).statistics
        if known and known.null_count == of_group.num_rows:
            found.append(np.full(of_group.num_rows, _NO_CLASS, np.int16))
        elif known and known.has_min_max and known.min == known.max and known.null_count == 0:
            found.append(np.full(of_group.num_rows, known.min, np.int16))
        else:
            numbers = _read(table, path, [group], ["class_index"])["class_index"]
            found.append(_numbers(numbers).astype(np.int16))
    return np.concatenate(found)


def _boxes(
    results: Path, split: str, images: pq.ParquetFile, groups: list[int]
) -> tuple[np.ndarray[Any, np.dtype[np.int32]], np.ndarray[Any, np.dtype[np.float32]]]:
    """Where the boxes of each image begin, int32 of shape (images + 1,), and all boxes, float32 of shape (boxes, 4)."""
    import pyarrow.compute as pc

    path = results / BOXES
    table = _table(path)
    columns = _read(table, path, list(range(table.num_row_groups)), ["split", "filename", "usable", *BOX_SIDES])
    is_of_split = pc.match_substring_regex(columns["split"], f"^{split}$")  # `equal` would import pandas, too
    columns = columns.filter(pc.and_(columns["usable"], is_of_split))
    names = _read(images, results / IMAGES, groups, ["filename"])["filename"].combine_chunks()
    found = pc.index_in(columns["filename"], value_set=names)
    if found.null_count:
        raise PrepError(path, f"it has boxes of {split} images that {results / IMAGES} does not have", AGAIN)
    number = _numbers(found)
    order = np.argsort(number, kind="stable")
    starts = np.zeros(len(names) + 1, np.int32)
    np.cumsum(np.bincount(number.astype(np.int64), minlength=len(names)), out=starts[1:])
    sides = np.stack([_numbers(columns[side]).astype(np.float32) for side in BOX_SIDES], axis=1)
    return starts, np.ascontiguousarray(sides[order])
