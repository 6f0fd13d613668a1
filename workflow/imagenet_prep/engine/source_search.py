"""What stands in for archives in a folder: images in class folders, class tars, unpacked boxes, an unpacked devkit.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from imagenet_prep.datasets.dataset import Dataset, Labels, Layout
from imagenet_prep.datasets.names import (
    CLASS_FOLDER,
    CLASS_TAR,
    MAPPING,
    MIXED,
    SOLUTION,
    VAL_OF_KAGGLE,
    has_folders_of_splits,
    part_of,
    split_of,
)
from imagenet_prep.engine import packed
from imagenet_prep.formats import zip_archive
from imagenet_prep.formats.tree import is_passed_over

NO_DEVKIT = ". The devkit's IDs, its numbers of images and the tree of synsets are not known from it: they stay empty"


_FEW = 3  # folders that are looked into


@dataclass(frozen=True)
class Source:
    """What stands in for an archive.

    Attributes:
        archive: the name of that.
        path: the file or folder.
        what: it is, for people.
        tells_classes: whether the names of its files or folders tell the class of each image.
        lacks: what of the archive is not in it, for people; "" where nothing is missing.
    """

    archive: str
    path: Path
    what: str
    tells_classes: bool = False
    lacks: str = ""

    def message(self, file: str, dataset: Dataset) -> str:
        """A line for people: what it is, and what is done with it in place of the archive of this name."""
        if zip_archive.is_zip(self.path):  # to look at two million members takes longer than is due here
            use = "used where it lies; what is compressed in it is packed once"
        else:
            is_packed = packed.parts_of(self.path, self.archive, dataset)
            use = "packed into one tar, once" if is_packed else "used as it lies there"
        return f"{self.path}: {self.what}, in place of {file}: {use}{self.lacks}"


def sources(folder: Path, names: Sequence[str], folders: Sequence[Path], dataset: Dataset) -> Iterator[Source]:
    """What a folder is, of the archives of a data set.

    Args:
        folder: that is looked at.
        names: of the files in it, sorted.
        folders: the folders in it, likewise.
        dataset: whose archives.
    """
    if os.path.isfile(folder / packed.META):
        yield Source(dataset.devkit, folder, "the devkit, unpacked")
    elif MAPPING in names:
        yield Source(dataset.devkit, folder / MAPPING, "classes and labels of Kaggle", lacks=NO_DEVKIT)
    if SOLUTION in names and os.path.isdir(folder / VAL_OF_KAGGLE):
        boxes = next(it.boxes for it in dataset.splits.values() if it.labels is Labels.GROUND_TRUTH)
        if boxes:
            lacks = ". What only the XML files have, such as pose, is not known from it"
            yield Source(boxes, folder / SOLUTION, "boxes of Kaggle's list", lacks=lacks)
    tars = [name for name in names if CLASS_TAR.fullmatch(name)]
    of_tars = _of_class_tars(dataset, folder.name)
    if len(tars) > 1 and of_tars:
        yield Source(of_tars, folder, f"{len(tars)} tars of single classes")
    for split in dataset.splits.values():
        parts = [name for name in names if part_of(split).fullmatch(name)]
        if parts:
            yield Source(split.archive, folder, f"{len(parts)} files of the {split.name} images", tells_classes=True)
    classes = [path for path in folders if CLASS_FOLDER.fullmatch(path.name)]
    in_classes = _first_file(classes)
    if in_classes and (archive := _archive_of(in_classes, dataset, folder.name)):
        yield Source(archive, folder, f"{len(classes)} folders of classes", tells_classes=True)
        return
    others = [path for path in folders if not is_passed_over(path.name)]
    held = {_archive_of(_first_file([path]) or "", dataset, folder.name) for path in others[:_FEW]}
    if len(others) >= _FEW and len(held) == 1 and (archive := held.pop()):
        yield Source(archive, folder, f"{len(others)} folders of images")
        return
    flat = (name for name in names if not is_passed_over(name))
    archive = next(
        (archive for name in islice(flat, 100) if (archive := _archive_of(name, dataset, folder.name))), None
    )
    if archive:
        yield Source(archive, folder, "files in one folder")


def outermost(found: Sequence[Source]) -> list[Source]:
    """Those that lie in no folder that is a source of the same archive."""
    folders = {(source.archive, source.path) for source in found}
    return [source for source in found if (source.archive, source.path.parent) not in folders]


def in_file(path: Path, dataset: Dataset) -> Iterator[Source]:
    """What a tar, perhaps compressed, or a zip is, of the archives of a data set, by its first members."""
    if any(part_of(split).fullmatch(path.name) for split in dataset.splits.values()):
        return  # its folder is the source
    names = packed.first_members(path)
    if any(MIXED in name for name in names):
        splits = [split for split in dataset.splits.values() if split.boxes or split.labels is Labels.NONE]
        for archive in (it for split in splits for it in (split.archive, split.boxes) if it):
            yield Source(archive, path, "all of ILSVRC2012, as Kaggle has it")
        if MAPPING in names or zip_archive.is_zip(path):
            yield Source(dataset.devkit, path, "classes and labels of Kaggle", lacks=NO_DEVKIT)
        return
    if has_folders_of_splits(path.name, names):
        last = zip_archive.last_members(path) if zip_archive.is_zip(path) else None
        for split in (it for it in dataset.splits.values() if it.boxes):
            # Of a tar only the beginning can be seen without reading all of it.
            if last is None or any(split_of(it.rpartition("/")[2], dataset) is split for it in (*names, *last)):
                yield Source(split.archive, path, "folders of several splits")
        return
    for name in names:
        base = name.rpartition("/")[2]
        found = dataset.devkit if name.endswith(packed.META) else _archive_of(base, dataset, path.name)
        found = _of_class_tars(dataset, path.name) if CLASS_TAR.fullmatch(base) else found
        if found:
            yield Source(found, path, "an archive of another form")
            return


def labels_of(found: Sequence[Source], dataset: Dataset) -> Iterator[Source]:
    """The devkit's place is taken by the names of images that tell their classes."""
    labelled = {split.archive for split in dataset.splits.values() if split.labels is Labels.GROUND_TRUTH}
    for source in found:
        if source.archive in labelled and source.path.is_dir() and source.tells_classes:
            yield Source(dataset.devkit, source.path, "labels in the names of images", lacks=NO_DEVKIT)


def _of_class_tars(dataset: Dataset, place: str) -> str | None:
    found = [it for it in dataset.archives.values() if it.layout is Layout.CLASS_TARS]
    told = [it for it in found if it.name in place]
    return max(told or found[:1], key=lambda it: len(it.name)).name if found else None


def _archive_of(name: str, dataset: Dataset, place: str) -> str | None:
    """The archive that holds files of such names; of several the one that the name of the file or folder tells."""
    stem, _, suffix = name.rpartition(".")
    if suffix.lower() == "xml":
        split = split_of(f"{stem}.JPEG", dataset)
        return split.boxes if split else None
    split = split_of(name, dataset, place)
    return split.archive if split else None


def _first_file(folders: Sequence[Path], depth: int = 1) -> str | None:
    """The name of an image or a description in one of the first folders, or in a folder in these."""
    for folder in islice(folders, _FEW):
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, 1000):
                    if is_passed_over(entry.name):
                        continue
                    if entry.name.endswith((".JPEG", ".xml")):
                        return entry.name
                    if depth and entry.is_dir() and (found := _first_file([Path(entry.path)], depth - 1)):
                        return found
        except OSError:
            continue
    return None
