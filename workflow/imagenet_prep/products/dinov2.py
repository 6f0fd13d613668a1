"""What DINOv2 and DINOv3 read beside class folders, and links into these: one folder is root and extra of both.

Their `ImageNet` class wants `labels.txt`, for each split an array of all images (`entries-TRAIN.npy` …), in the order
of torchvision's `ImageFolder`, and for each with labels the classes' WNIDs and names by index. Imports are light, since
the Snakefile asks here at every start.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.shard_set import Naming
from imagenet_prep.engine.space import ImageTotals, Space
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import DEVKIT, IMAGES
from imagenet_prep.products.imagefolder import ImageFolder
from imagenet_prep.products.shards import ShardedProduct

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from imagenet_prep.engine.image_reader import Numbers
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.products.audit.expected import Expected
    from imagenet_prep.products.audit.readings import Reading

    Array = np.ndarray[Any, np.dtype[Any]]

LABELS = "labels.txt"
CALLED = {"train": "TRAIN", "validation": "VAL", "test": "TEST"}
"""The splits, by what DINOv2's file names call them."""

NO_CLASS = (1 << 32) - 1
"""The `class_index` of a test image, a uint32."""

# Characters of the longest WNID and of the longest words of a class of ILSVRC2012; each entry has room for both.
_LONGEST_WNID, _LONGEST_NAME = 9, 131
_ENTRIES_AT_A_TIME = 1 << 16


class DINOv2(ShardedProduct):
    """The files and links for DINOv2 and DINOv3: of each split one array of its images, with what is beside it."""

    name = "dinov2"
    version = 1
    sidecars = (LABELS,)
    unit = "arrays"
    samples = "entries"
    goes_through_images = False

    def splits(self, dataset: Dataset) -> list[str]:
        """Those that their code knows."""
        return [name for name in dataset.splits if name in CALLED]

    def refuses(self, config: Config) -> tuple[str, str, str] | None:
        """Subsets, of which their code refuses the number of images, and folders that are not called by WNID."""
        if config["classes"] is not None:
            problem = f"a subset, and {self.name} is of all classes: DINOv2 counts the images"
            return "classes", problem, f"Write null, or leave {self.name} out"
        if config[ImageFolder.name]["val_dirs"] != "wnid":
            key = f"{ImageFolder.name}.val_dirs"
            problem = f"DINOv2 finds class folders by WNID, so {self.name} needs them"
            return key, problem, f"Write wnid, or leave {self.name} out"
        return None

    def count(self, config: Config, split: str) -> int:
        """One array of all images."""
        return 1

    def batch_size(self, config: Config, split: str, archives: Mapping[str, int] | None = None) -> int:
        """All of it: there is one array."""
        return 1

    def naming_of(self, split: str) -> Naming:
        """The array of the images; beside it those of the classes, and the link."""
        called, folder = CALLED[split], CALLED[split].lower()
        arrays = () if split == "test" else (f"class-ids-{called}.npy", f"class-names-{called}.npy")
        return Naming(f"entries-{called}.npy", (*arrays, folder))

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes."""
        return {"classes": classes_of(config)}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The images, the words of the classes, and the class folders that the link leads to."""
        return [(IMAGES.name, subject), (DEVKIT.name, ALL), (ImageFolder.name, subject)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """No archive."""
        return []

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The array of all images."""
        return self.shard_set(inputs.output_dir, split, 1).names()

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Write the arrays of a split, and the link to its folder."""
        from imagenet_prep import atomic
        from imagenet_prep.engine.receipts import described
        from imagenet_prep.formats import parquet

        found = self.shard_set(inputs.output_dir, split, 1)
        found.write_down()
        entries, *arrays, link = found.files_of(0)
        images = parquet.read(inputs.table(IMAGES.name, split), ["filename", "wnid", "class_index"])
        classes = _names(inputs)
        names = {} if split == "test" else classes
        with atomic.replacing(entries) as partial_path, open(partial_path, "wb") as file:
            _write_entries(file, images, names)
        for path, values in zip(arrays, (list(names), list(names.values())), strict=False):
            atomic.write_bytes(path, _npy(values))
        target = _target(inputs.dataset, split)
        atomic.link(link, target)
        body: Body = {"files": described(inputs.output_dir, [entries, *arrays])}
        body["files"][found.names()[0]]["records"] = len(images)
        return {**body, "links": {link.relative_to(inputs.output_dir).as_posix(): target}}

    def remove_leftovers(self, config: Config, split: str, receipts: Collection[Body]) -> int:
        """Nothing: the names are the same in every configuration."""
        return len(receipts)

    def description_settings(self, config: Config) -> dict[str, Any]:
        """What the names of the classes follow from."""
        return {"classes": classes_of(config)}

    def describe(self, inputs: Inputs) -> None:
        """Write a line a class: its WNID and its words."""
        from imagenet_prep import atomic

        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_names(inputs).items())
        atomic.write_text(inputs.output_dir / self.path / LABELS, text.getvalue())

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """An entry an image, and a WNID and a name a class."""
        files = self.naming_of(split).of(split, 0, 1)
        names = 4 * (_LONGEST_WNID + _LONGEST_NAME)  # bytes: NumPy's text has four a character
        size = 8 if split == "test" else 8 + names
        of_classes = names * dataset_of(config).class_count(config, split)
        nbytes = images.count * size + (0 if split == "test" else of_classes)
        return Space(nbytes + len(files) * block, len(files))

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """The kinds of files, and who reads them."""
        _, nbytes = super().content(config, images)
        return f"what DINOv2 and DINOv3 read: {LABELS}, arrays, links into the class folders", nbytes

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """Nothing: DINOv2 leaves no choice."""
        return []

    def order(self, config: Config, expected: Expected) -> Numbers:
        """By WNID, then by file name, as torchvision's `ImageFolder` has them."""
        import numpy as np

        names = expected.images.read(["wnid", "filename"])
        return np.asarray(_order(names).to_numpy().astype(np.int64))

    def reencoded(self, facts: Any, split: str) -> frozenset[str]:
        """None: it holds no images."""
        return frozenset()

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read the array of a split, and hold those of the classes and the link against it."""
        import numpy as np

        from imagenet_prep.products.audit.readings import beside, leads, read_tables

        columns = ("filename",) if split == "test" else ("filename", "label", "wnid", "text")
        reading = read_tables(unit, columns, partial(_read, split=split))
        _, *arrays, link = self.shard_set(Path(config["output_dir"]), split, 1).files_of(0)
        if arrays and len(reading.samples):
            found = reading.samples.group_by(["label", "wnid", "text"]).aggregate([]).to_pylist()
            classes = {row["label"]: (row["wnid"], row["text"]) for row in found}
            ordered = [classes.get(index, ("", "")) for index in range(max(classes) + 1)]
            for path, values in zip(arrays, zip(*ordered, strict=True), strict=True):
                output = io.BytesIO()
                np.save(output, np.array(values))
                reading = beside(reading, path, output.getvalue())
        return leads(reading, link, _target(dataset_of(config), split))


def _target(dataset: Dataset, split: str) -> str:
    return f"../{ImageFolder.name}/{dataset.splits[split].folder}"


def _names(inputs: Inputs) -> dict[str, str]:
    """The words of each class by WNID, in the order of the indices."""
    words = dict(zip(*(inputs.synsets[column].to_pylist() for column in ("wnid", "words")), strict=True))
    return {wnid: words[wnid] for wnid in inputs.numbered_wnids}


def _order(images: pa.Table) -> pa.Array:
    import pyarrow.compute as pc

    return pc.sort_indices(images, [("wnid", "ascending"), ("filename", "ascending")])


def _dtype(wnid: int, name: int) -> np.dtype[Any]:
    import numpy as np

    return np.dtype(
        [("actual_index", "<u4"), ("class_index", "<u4"), ("class_id", f"<U{wnid}"), ("class_name", f"<U{name}")]
    )


def _npy(values: list[str]) -> bytes:
    import numpy as np

    output = io.BytesIO()
    np.save(output, np.array(values))
    return output.getvalue()


def _write_entries(file: io.BufferedWriter, images: pa.Table, names: Mapping[str, str]) -> None:
    """Write the array of all images, some at a time; `names` are words by WNID, none where images have no class."""
    import numpy as np

    of = _dtype(max(map(len, names), default=0), max(map(len, names.values()), default=0))
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.lib.format.dtype_to_descr(of), "fortran_order": False, "shape": (len(images),)}
    )
    images = images.take(_order(images))
    for start in range(0, len(images), _ENTRIES_AT_A_TIME):
        part = images.slice(start, _ENTRIES_AT_A_TIME)
        entries = np.zeros(len(part), of)
        numbers = [name.removesuffix(".JPEG").rpartition("_")[2] for name in part["filename"].to_pylist()]
        entries["actual_index"] = np.array(numbers, np.uint32)
        entries["class_index"] = part["class_index"].to_numpy() if names else NO_CLASS
        if names:
            wnids = part["wnid"].to_pylist()
            entries["class_id"], entries["class_name"] = wnids, [names[wnid] for wnid in wnids]
        file.write(entries.tobytes())


def _read(path: Path, split: str) -> Iterator[dict[str, Any]]:
    """What the entries of a split say, some at a time, a list a column.

    Raises:
        ValueError: it is not such an array.
    """
    from imagenet_prep.formats import npy

    entries = npy.mapped(path)
    if entries.dtype != _dtype(*(entries.dtype[it].itemsize // 4 for it in ("class_id", "class_name"))):
        raise ValueError(f"its entries are {entries.dtype}")
    for start in range(0, len(entries), _ENTRIES_AT_A_TIME):
        part = entries[start : start + _ENTRIES_AT_A_TIME]
        numbers, wnids = part["actual_index"].tolist(), part["class_id"].tolist()
        if split == "test":
            if set(part["class_index"].tolist()) != {NO_CLASS} or set(wnids) != {""}:
                raise ValueError("its images have classes")
            yield {"filename": [f"ILSVRC2012_test_{number:08d}.JPEG" for number in numbers]}
            continue
        of_validation = (f"ILSVRC2012_val_{number:08d}.JPEG" for number in numbers)
        of_train = (f"{wnid}_{number}.JPEG" for wnid, number in zip(wnids, numbers, strict=True))
        yield {
            "filename": list(of_train if split == "train" else of_validation),
            "label": part["class_index"].tolist(),
            "wnid": wnids,
            "text": part["class_name"].tolist(),
        }
