"""Index files with which others read images out of the archives as they are, nothing converted: DALI and ratarmount.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep import commands
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Labels
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_headers import OF_FOLDER, find_odd, noted, odd_header, without_headers
from imagenet_prep.engine.receipts import STATE, Body
from imagenet_prep.engine.space import ImageTotals, Space, of_even_files
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import IMAGES
from imagenet_prep.errors import PrepError
from imagenet_prep.products.image_table import ImageTable
from imagenet_prep.products.product import SplitProduct

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.readings import Reading

DALI, RATARMOUNT = "dali", "ratarmount"
"""The folders of the index files of each reader."""

_COLUMNS = ["filename", "wnid", "offset", "length"]
# How much of its header a sample of DALI has: `n01440764`, or a whole name.
_WNID_BYTES, _NAME_BYTES = 9, 100
# Bytes that an image takes: a line for DALI and a row for ratarmount, both without names; then, on average, its file
# name in the line, and its file name with its folder in the row.
_LINE, _ROW = 27, 47
_NAMES = {Labels.LAYOUT: (19.5, 35.5), Labels.GROUND_TRUTH: (28, 42), Labels.NONE: (29, 34)}
_EMPTY = 7 * 4096  # bytes of a database without rows
_NO_TAR = "{}, and readers look for the class in the headers of a tar"


class ArchiveIndex(SplitProduct):
    """Of each split, an index for DALI and one for ratarmount; both name all of its images."""

    name = "archive_index"
    version = 1
    unit = "index files"
    samples = "entries"
    goes_through_images = False
    is_each_unit_whole = True
    points_into_archives = True

    def splits(self, dataset: Dataset) -> list[str]:
        """All splits."""
        return list(dataset.splits)

    def obstacle(self, config: Config, split: str) -> str | None:
        """Readers find the class of an image in the header of its member: it has to begin with the file name."""
        archive = dataset_of(config).splits[split].archive
        if lie_in := without_headers(config, archive):
            return _NO_TAR.format(lie_in)
        member = odd_header(config, archive)
        return _obstacle(member) if member else None

    def known_by(self, config: Config) -> list[Need]:
        """The table of images, too, which tells readers the labels, and is all that `imagenet_prep.reading` needs."""
        return [*super().known_by(config), (ImageTable.name, ALL)]

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, the archive's file name, and the seed where the archive's images are ordered by class."""
        of = dataset_of(config).splits[subject]
        seed = config["shards"]["seed"] if of.labels is Labels.LAYOUT else None
        return {"classes": classes_of(config), "file": config["archives"][of.archive]["file"], "seed": seed}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The images of the split."""
        return [(IMAGES.name, subject)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive: its size stands in the index for ratarmount, and its headers may have to be looked at."""
        return [dataset_of(config).splits[subject].archive]

    def count(self, config: Config, split: str) -> int:
        """An index for each reader."""
        return 2

    def batch_size(self, config: Config, split: str, archives: Mapping[str, int] | None = None) -> int:
        """One job: each takes seconds, of the same table."""
        return self.count(config, split)

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The index files."""
        return self._paths(inputs.config, split)

    def _paths(self, config: Config, split: str) -> list[str]:
        file = config["archives"][dataset_of(config).splits[split].archive]["file"]
        return [f"{self.path}{DALI}/{split}.idx", f"{self.path}{RATARMOUNT}/{file}.index.sqlite"]

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Write some of the index files.

        Raises:
            PrepError: the header of an image does not begin with its file name.
        """
        from imagenet_prep import atomic
        from imagenet_prep.engine.receipts import described
        from imagenet_prep.formats import parquet

        images, archive = parquet.read(inputs.table(IMAGES.name, split), _COLUMNS), inputs.archive(split)
        self._expect_names(inputs, split, images, archive)
        made = []
        for number in range(first, min(last, 1) + 1):
            name = self._paths(inputs.config, split)[number]
            path = inputs.output_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            marker = _ledger(inputs.output_dir, split) / name
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
            if number == 0:
                self._write_dali(inputs, split, images, path)
            else:
                self._write_ratarmount(inputs, split, images, archive, path)
            atomic.settle(path.parent)
            made.append(path)
        return {"files": described(inputs.output_dir, made)}

    def _expect_names(self, inputs: Inputs, split: str, images: pa.Table, archive: Path) -> None:
        name = inputs.dataset.splits[split].archive
        remedy = f"Ask for other products: they can be made of it, and none of them needs {self.name}"
        lie_in = without_headers(inputs.config, name)
        if lie_in != OF_FOLDER:
            table = commands.snakemake(inputs.output_dir / ImageTable().path)
            remedy += f". PyTorch and Grain read it by the table of images alone (docs/readers.md): {table} makes it"
        if lie_in:
            problem = f"{self.name} cannot be made of it: {_NO_TAR.format(lie_in)}"
            raise PrepError(archive_paths.archive_of(inputs.config, name), problem, remedy)
        odd = noted(inputs.config, name)
        if odd is None:  # scanned by an older version
            odd = find_odd(archive, images["filename"].to_pylist(), images["offset"].to_pylist())
        if odd:
            raise PrepError(archive, f"{self.name} cannot be made of it: {_obstacle(odd)}", remedy, member=odd)

    def _write_dali(self, inputs: Inputs, split: str, images: pa.Table, path: Path) -> None:
        """Images that are ordered by class are shuffled, or a reader's buffer would hold a class or two at a time."""
        import pyarrow as pa

        from imagenet_prep.engine.plan import permutation
        from imagenet_prep.formats import dali_index

        if inputs.settings["seed"] is not None:
            images = images.sort_by("filename").take(pa.array(permutation(len(images), inputs.settings["seed"])))
        else:
            images = images.sort_by("offset")
        dali_index.write(path, images, _header_bytes(inputs.dataset, split))

    def _write_ratarmount(self, inputs: Inputs, split: str, images: pa.Table, archive: Path, path: Path) -> None:
        import pyarrow.compute as pc

        from imagenet_prep.formats import ratarmount_index

        top = inputs.dataset.splits[split].folder
        wnids = pc.fill_null(images["wnid"], "")
        folder = pc.if_else(pc.equal(wnids, ""), top, pc.binary_join_element_wise(top, wnids, "/"))
        folders = {top, *pc.unique(folder).to_pylist()}
        ratarmount_index.write(path, archive, folders, images.append_column("folder", folder))

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """A line an image, with its place in the archive twice, and a row."""
        name, path = _NAMES[dataset_of(config).splits[split].labels]
        line = _LINE + name + 2 * len(str(images.nbytes))
        dali = of_even_files(round(images.count * line), 1, block)
        ratarmount = of_even_files(round(images.count * (_ROW + path)) + _EMPTY, 1, block)
        return Space(dali.nbytes + ratarmount.nbytes, 2)

    def existing(self, config: Config, split: str) -> int:
        """How many of the index files exist."""
        return sum(Path(config["output_dir"], path).is_file() for path in self._paths(config, split))

    def remove_leftovers(self, config: Config, split: str, receipts: Collection[Body]) -> int:
        """Take away what is in the ledger and in no receipt."""
        kept = {name for body in receipts for name in body["files"]}
        self._remove(config, split, kept)
        return len(kept)

    def remove(self, config: Config, split: str) -> None:
        """Take away what is in the ledger."""
        self._remove(config, split, ())

    def _remove(self, config: Config, split: str, kept: Collection[str]) -> None:
        output_dir = Path(config["output_dir"])
        for name, marker in _noted(output_dir, split):
            if name not in kept:
                (output_dir / name).unlink(missing_ok=True)
                marker.unlink()
        for folder in (output_dir / self.path / DALI, output_dir / self.path / RATARMOUNT):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def was_made(self, config: Config, path: Path) -> bool:
        """Whether it is in the ledger."""
        output_dir = Path(config["output_dir"])
        splits = self.splits(dataset_of(config))
        return any(path == output_dir / name for split in splits for name, _ in _noted(output_dir, split))

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """The splits, and who reads the files; why there are none."""
        splits = [it for it in images if self.existing(config, it)]
        if not splits:
            return next((f"none, since {why}" for it in images if (why := self.obstacle(config, it))), "none"), 0
        paths = [Path(config["output_dir"], it) for split in splits for it in self._paths(config, split)]
        content = f"index files of {', '.join(splits)}: with them, DALI and ratarmount read the archives as they are"
        return content, sum(path.stat().st_size for path in paths if path.is_file())

    def made(self, config: Config) -> str:
        """The splits, likewise."""
        return self.content(config, dict.fromkeys(self.splits_in_use(config), ImageTotals(0, 0)))[0]

    def audited_units(self, facts: Facts, split: str) -> list[Path]:
        """The index files."""
        return [facts.output_dir / path for path in self._paths(facts.config, split)]

    def pattern(self, facts: Facts, split: str) -> str:
        """Not empty, since no sample is a file of its own; each index is named by its own path in messages."""
        return f"{facts.output_dir / self.path}/*"

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read an index."""
        import pyarrow.compute as pc

        from imagenet_prep.formats import dali_index, ratarmount_index
        from imagenet_prep.products.audit.readings import PLACE, read_small

        def rows(data: bytes) -> pa.Table:
            if unit.parent.name == DALI:
                found = dali_index.read(data, _header_bytes(dataset_of(config), split))
            else:
                found = ratarmount_index.read(unit)
                top = dataset_of(config).splits[split].folder
                wnid = pc.replace_substring_regex(found["folder"], f"^{top}(/|$)", "")
                found = found.append_column("wnid", wnid).drop_columns(["folder"])
            return found.rename_columns({"offset": PLACE})

        return read_small(unit, rows)


def _header_bytes(dataset: Dataset, split: str) -> int:
    return _WNID_BYTES if dataset.splits[split].labels is Labels.LAYOUT else _NAME_BYTES


def _obstacle(member: str) -> str:
    return f"the header of {member} does not begin with its file name, in which readers look for the class"


def _ledger(output_dir: Path, split: str) -> Path:
    """The folder with an empty file for each index that was ever made of a split, under the same path."""
    return output_dir / STATE / "made" / ArchiveIndex.name / split


def _noted(output_dir: Path, split: str) -> Iterator[tuple[str, Path]]:
    """The entries of the ledger: paths of indexes below the output folder, each with its empty file."""
    ledger = _ledger(output_dir, split)
    for marker in sorted(ledger.rglob("*.*")):
        if marker.is_file():
            yield marker.relative_to(ledger).as_posix(), marker
