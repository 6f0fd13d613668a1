"""The ImageFolder trees: every image a file in the folder of its class, byte for byte as in the archive.

A folder appears whole, by one rename, so that a killed job leaves none that looks finished. Its files are noted first,
in the ledger (`state/made/`), so that a later run can remove these and no others.
Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Labels, Split
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.space import ImageTotals, Space
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import DEVKIT, IMAGES
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.product import SplitProduct
from imagenet_prep.progress import Progress, grouped

if TYPE_CHECKING:
    from imagenet_prep.engine.image_reader import Numbers
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.readings import Reading

_COLUMNS = ["filename", "wnid", "class_index", "archive", "offset", "length", "crc32c"]
_FOLDER_ENTRY = 40  # bytes of a file's name in its folder

Row = dict[str, Any]


class ImageFolder(SplitProduct):
    """Every image a file, in the folder of its class."""

    name = "imagefolder"
    version = 1
    section: Mapping[str, Mapping[str, Any]] = {
        "val_dirs": {"description": "wnid or index", "enum": ["wnid", "index"], "default": "wnid"}
    }
    jobs = ("imagefolder_classes", "imagefolder_val_classes")
    unit = "class folders"
    samples = "files"

    def splits(self, dataset: Dataset) -> list[str]:
        """All splits."""
        return list(dataset.splits)

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, and how the folders are called."""
        of = dataset_of(config).splits[subject]
        dirs = config[self.name]["val_dirs"] if of.labels is Labels.GROUND_TRUTH else "wnid"
        return {"classes": classes_of(config), "val_dirs": dirs}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The images of the split."""
        return [(IMAGES.name, subject), (DEVKIT.name, ALL)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the split."""
        return [dataset_of(config).splits[subject].archive]

    def count(self, config: Config, split: str) -> int:
        """A unit a class in use; a split without all classes, such as the test set, is one unit."""
        dataset = dataset_of(config)
        return dataset.class_count(config, split) if is_cut(dataset, split) else 1

    def jobs_key(self, config: Config, split: str) -> str:
        """The validation set has a key of its own: its folders are smaller."""
        return self.jobs[1 if self._is_scattered(config, split) else 0]

    def job_bytes(self, config: Config, split: str) -> int:
        """Eight times as many where the images of a class lie all over the archive."""
        return super().job_bytes(config, split) * (8 if self._is_scattered(config, split) else 1)

    def _is_scattered(self, config: Config, split: str) -> bool:
        return dataset_of(config).splits[split].labels is Labels.GROUND_TRUTH

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The folders of the classes in use; of a split that is one unit, its tree."""
        of = inputs.dataset.splits[split]
        tree = Tree(inputs.output_dir, of.folder)
        if not is_cut(inputs.dataset, split):
            return [tree.path("")]
        rows = inputs.classes.select(["wnid", "class_index"]).to_pylist()
        return [tree.path(folder_of(row, of, inputs.settings["val_dirs"])) for row in rows]

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Write the images of some classes into their folders in one sweep over the archive."""
        table, of = inputs.table(IMAGES.name, split), inputs.dataset.splits[split]
        wnids = inputs.classes["wnid"].to_pylist()[first : last + 1] if is_cut(inputs.dataset, split) else None
        dirs = inputs.settings["val_dirs"]
        return write_folders(read_rows(table, wnids), of, dirs, inputs.archive(split), inputs.output_dir)

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """A file an image, which fills its last block only by half, on average."""
        folders = 1 + dataset_of(config).class_count(config, split)
        files = images.count * (block // 2 + _FOLDER_ENTRY)
        return Space(images.nbytes + files + folders * block, images.count + folders)

    def ledgers(self, config: Config, split: str) -> int:
        """A file a folder."""
        return dataset_of(config).class_count(config, split)

    def place(self, dataset: Dataset, split: str) -> str:
        """The tree."""
        return f"{self.path}{dataset.splits[split].folder}"

    def existing(self, config: Config, split: str) -> int:
        """How many class folders exist; of a split that is one unit, whether anything is in its tree."""
        tree = Path(config["output_dir"], self.place(dataset_of(config), split))
        if not is_cut(dataset_of(config), split):
            return min(1, sum(1 for _ in tree.glob("*")))
        if self.settings(config, split)["val_dirs"] == "index":
            return sum(1 for _ in tree.glob("[0-9][0-9][0-9]"))
        names = {path.name for path in tree.glob("n*")}
        return len(names & set(config["classes"]) if config["classes"] else names)

    def remove_leftovers(self, config: Config, split: str, receipts: Collection[Body]) -> int:
        """Take away the folders that are in the ledger and in no receipt."""
        tree = tree_of(config, split)
        folders = {folder for body in receipts for folder in body["folders"]}
        for folder in sorted(tree.folders_made()):
            if tree.path(folder) not in folders:
                tree.remove(folder)
        tree.remove_partials()
        tree.remove_if_empty()
        return len(folders)

    def remove(self, config: Config, split: str) -> None:
        """Take away what is in the ledger, and the tree where nothing else is in it."""
        tree = tree_of(config, split)
        for folder in sorted(tree.folders_made()):
            tree.remove(folder)
        tree.remove_if_empty()

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """The trees, and the files in them."""
        splits = dataset_of(config).splits
        trees = ", ".join(f"{splits[name].folder}/" for name in images)
        files = grouped(sum(it.count for it in images.values()))
        return f"class folders {trees}, {files} files", sum(it.nbytes for it in images.values())

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """How the folders of the validation set are named."""
        for split in dataset_of(config).splits_in_use(config):
            if split.labels is Labels.GROUND_TRUTH:
                names = "WNIDs" if config[self.name]["val_dirs"] == "wnid" else "indices"
                return [(f"folders of {split.folder}/", f"named by {names}")]
        return []

    def audited_units(self, facts: Facts, split: str) -> list[Path]:
        """The folders of the classes that have images; of the flat test set the tree."""
        from imagenet_prep.products.class_folder_samples import class_folders

        return class_folders(self._root(facts.config, split), facts.images(split), self._called_by(facts.config, split))

    def was_made(self, config: Config, path: Path) -> bool:
        """Whether it is a folder in the ledger."""
        of_root = [split for split in self.splits(dataset_of(config)) if self._root(config, split) == path.parent]
        return any(path.name in tree_of(config, split).folders_made() for split in of_root)

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read all files of a class folder."""
        from imagenet_prep.products.class_folder_samples import read_folder

        return read_folder(self._root(config, split), unit, self._called_by(config, split))

    def names_of(self, facts: Facts, split: str, numbers: Numbers) -> list[str]:
        """The paths of images, by their numbers."""
        from imagenet_prep.products.class_folder_samples import paths_of

        images = facts.images(split).rows(numbers, ["filename", "wnid", "class_index"])
        return paths_of(self._root(facts.config, split), images, self._called_by(facts.config, split))

    def _root(self, config: Config, split: str) -> Path:
        return Path(config["output_dir"], self.place(dataset_of(config), split))

    def _called_by(self, config: Config, split: str) -> str | None:
        """The column of the table of images after which folders are named; None where the tree is flat."""
        labels = dataset_of(config).splits[split].labels
        if labels is Labels.NONE:
            return None
        by_index = labels is Labels.GROUND_TRUTH and config[self.name]["val_dirs"] == "index"
        return "class_index" if by_index else "wnid"


def folder_of(row: Row, split: Split, val_dirs: str) -> str:
    """The folder of an image in its tree: its WNID, three digits of its index, or "" for the flat test set."""
    if split.labels is Labels.NONE:
        return ""
    if split.labels is Labels.GROUND_TRUTH and val_dirs == "index":
        return f"{row['class_index']:03d}"
    return str(row["wnid"])


def read_rows(images: Path, wnids: list[str] | None) -> list[Row]:
    """The rows of a split's table with these WNIDs, or of all classes, with `_COLUMNS`."""
    from imagenet_prep.engine.images import read_classes
    from imagenet_prep.formats import parquet

    table = parquet.read(images, _COLUMNS) if wnids is None else read_classes(images, wnids, _COLUMNS)
    return list(table.to_pylist())


def write_folders(rows: list[Row], split: Split, val_dirs: str, archive: Path, output_dir: Path) -> dict[str, Any]:
    """Write the given images of a split into their folders in one sweep over the archive.

    An image costs one open, one write and one close; neighbours in the archive are read together.

    Args:
        rows: all images of each folder that is written, with `_COLUMNS`; perhaps none.
        split: the split that they are of.
        val_dirs: "wnid" or "index": how folders of the validation set are named.
        archive: the file that holds all of them.
        output_dir: the configured folder.

    Returns:
        The receipt's `folders`: by path below the output folder, the number of `files` and when it `changed`, in
        nanoseconds since 1970.

    Raises:
        PrepError: the archive is gone, or does not hold the bytes any more that the scan found.
    """
    from imagenet_prep.engine.image_bytes import extract

    tree = Tree(output_dir, split.folder)
    folders: dict[str, set[str]] = {}
    targets = []
    for row in rows:
        folder = folder_of(row, split, val_dirs)
        folders.setdefault(folder, set()).add(row["filename"])
        targets.append((folder, row["filename"]))
    progress = Progress(f"writing images of {split.name}", sum(row["length"] for row in rows), images=len(rows))
    try:
        tree.make_partials(folders)
        partials = {folder: tree.partial(folder) for folder in folders}
        if rows:
            for position, data in extract(archive, rows):
                folder, filename = targets[position]
                _write(f"{partials[folder]}/{filename}", data)
                progress.advance(len(data), images=1)
        tree.announce(folders)
        for folder, filenames in folders.items():
            tree.install(folder, filenames)
    finally:
        tree.discard_partials(folders)
    return {"folders": {tree.path(name): tree.made_in(name, len(of)) for name, of in sorted(folders.items())}}


def is_cut(dataset: Dataset, split: str) -> bool:
    """Whether a split is made class by class: a split with all classes is; another is one unit."""
    return dataset.splits[split].classes == dataset.classes


def tree_of(config: Config, split: str) -> Tree:
    """The tree of a split."""
    return Tree(Path(config["output_dir"]), dataset_of(config).splits[split].folder)


def _write(path: str, data: memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        while len(data):
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
