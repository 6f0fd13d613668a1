"""The whole audit of an output folder, each file read once, in as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit import folders, records, tables
from imagenet_prep.products.audit.report import Check
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, ShardSet
from imagenet_prep.products.tfds import FEATURES, INFO, LABEL_NAMES
from imagenet_prep.products.tree import TREE_OF_SPLIT, Tree
from imagenet_prep.progress import Progress

SNAKEMAKE = "snakemake --cores N"


@dataclass
class Audit:
    """An audit of what lies in `output_dir`, against `config` (complete) and the tables made from the archives.

    Attributes:
        checks: what was looked at, filled by `run`.
        sums: SHA-256 of every published file by its path below the output folder, filled by `run`.
    """

    config: dict[str, Any]
    products: list[str]
    splits: list[str]
    workers: int
    checks: list[Check] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)

    @property
    def output_dir(self) -> Path:
        """The folder that is looked at."""
        return Path(self.config["output_dir"])

    def run(self) -> None:
        """Look at everything."""
        images_path = self.output_dir / "tables" / "images.parquet"
        labels = self.output_dir / "labels"
        if not self._there(Check("labels"), [labels / name for name in _LABEL_FILES], f"{SNAKEMAKE} labels"):
            return
        self.checks.append(tables.check_labels(labels, f"rm -r {labels} && {SNAKEMAKE} labels"))
        if not self._there(Check("images"), [images_path], f"{SNAKEMAKE} {images_path}"):
            return
        images = pq.read_table(images_path)
        of_split = {split: images.filter(pc.equal(images["split"], split)) for split in self.splits}
        for split, part in of_split.items():
            self.checks.append(
                tables.check_images(part, split, labels, f"rm {images_path} && {SNAKEMAKE} {images_path}")
            )
        with ProcessPoolExecutor(self.workers) as pool:
            if "imagefolder" in self.products:
                for split, part in of_split.items():
                    self._folders(pool, split, part)
            if "tfrecords" in self.products:
                self._records(pool, of_split)
        boxes, multilabel = (self.output_dir / "tables" / name for name in ("bboxes.parquet", "multilabel.parquet"))
        if "bboxes" in self.products and self._there(Check("bboxes"), [boxes], f"{SNAKEMAKE} bboxes"):
            self.checks.append(tables.check_boxes(boxes, images))
        if "multilabel" in self.products and self._there(Check("multilabel"), [multilabel], f"{SNAKEMAKE} multilabel"):
            self.checks.append(tables.check_multilabel(multilabel, labels))
        for folder in (self.output_dir / "tables", labels, *self._index_folders()):
            self.sums |= {self._relative(path): atomic.sha256(path) for path in sorted(folder.iterdir())}

    def sha256sums(self) -> str:
        """The published files as `sha256sum -c` reads them."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))

    def check_sums(self) -> None:
        """Hold the files against the checksums that the last audit wrote; call it after `run`."""
        path = self.output_dir / "SHA256SUMS"
        check = Check("SHA256SUMS")
        if self._there(check, [path], f"{SNAKEMAKE} audit"):
            recorded = {}
            for line in path.read_text(encoding="utf-8").splitlines():
                digest, _, name = line.partition("  ")
                recorded[name] = digest
            check.figures["files"] = len(recorded)
            changed = [name for name, digest in sorted(self.sums.items()) if recorded.get(name) != digest]
            mend = (
                f"{SNAKEMAKE} -f audit_products if that change was meant, else rm {self.output_dir}/{{}} && {SNAKEMAKE}"
            )
            check.add_each("it is not what the last audit saw", changed, mend)
            gone = sorted(recorded.keys() - self.sums.keys())
            check.add_each("the last audit saw it, and it is not there or not whole now", gone, SNAKEMAKE)
            self.checks.append(check)

    def _there(self, check: Check, paths: list[Path], mend: str) -> bool:
        missing = [str(path) for path in paths if not path.is_file()]
        if missing:
            check.add_each("it is missing", missing, mend)
            self.checks.append(check)
        return not missing

    def _folders(self, pool: ProcessPoolExecutor, split: str, images: pa.Table) -> None:
        tree = Tree(self.output_dir, TREE_OF_SPLIT[split])
        check = Check(f"imagefolder {tree.name}")
        names = folders.folders_of(self.output_dir, split)
        parts = _map(pool, f"reading {tree.root}", folders.examine_folder, [(tree.root, name) for name in names])
        found = pa.concat_tables([folders.FOUND.empty_table(), *parts]).combine_chunks()
        target = {"train": "imagefolder_train", "validation": "imagefolder_val"}.get(split, "imagefolder")
        val_dirs = self.config["imagefolder"]["val_dirs"]
        folders.compare_tree(check, found, images, tree.root, split, val_dirs, f"{SNAKEMAKE} {target}")
        self.checks.append(check)

    def _records(self, pool: ProcessPoolExecutor, of_split: dict[str, pa.Table]) -> None:
        folder = self.output_dir / TFRECORD
        splits = [split for split in of_split if split in ("train", "validation")]
        check = Check("tfrecord folder")
        records.compare_folder(
            check, folder, records.expected_files(self.config, splits, TFRECORD), f"{SNAKEMAKE} tfrecords"
        )
        self.checks.append(check)
        if "indexes" in self.products:
            check = Check("tfrecord_index folder")
            expected = records.expected_files(self.config, splits, TFRECORD_INDEX)
            records.compare_folder(check, self.output_dir / TFRECORD_INDEX, expected, f"{SNAKEMAKE} indexes")
            self.checks.append(check)
        for name in (FEATURES, INFO, LABEL_NAMES):
            if (folder / name).is_file():
                self.sums[f"{TFRECORD}/{name}"] = atomic.sha256(folder / name)
        for split in splits:
            self._records_of(pool, split, of_split[split])

    def _records_of(self, pool: ProcessPoolExecutor, split: str, images: pa.Table) -> None:
        check = Check(f"tfrecord {split}")
        mend = f"{SNAKEMAKE} tfrecords_{split}"
        reencoded = self._reencoded(images)
        paths = [path for path in ShardSet.of(self.config, TFRECORD, split).paths() if path.is_file()]
        shards = []
        for shard in _map(
            pool, f"reading the {split} shards", records.examine_shard, [(path, reencoded) for path in paths]
        ):
            if isinstance(shard, PrepError):
                check.add(str(shard), f"rm {shard.place} && {SNAKEMAKE} tfrecords indexes")
            else:
                shards.append(shard)
                self.sums[self._relative(shard.path)] = shard.sha256
        classes = pyarrow.csv.read_csv(self.output_dir / "labels" / "classes.csv")
        sources = (
            self.output_dir / "state" / "boxes" / f"{split}.parquet",
            self.output_dir / "tables" / "bboxes.parquet",
        )
        boxes = next((path for path in sources if path.is_file()), None)
        records.compare_records(
            check,
            shards,
            images,
            classes,
            boxes,
            self.config["tfrecord"]["label_base"],
            reencoded,
            mend,
        )
        if "indexes" in self.products:
            records.compare_indexes(check, shards, self.output_dir / TFRECORD_INDEX, f"{SNAKEMAKE} indexes")
        self.checks.append(check)

    def _reencoded(self, images: pa.Table) -> frozenset[str]:
        settings = self.config["tfrecord"]
        cmyk = pc.and_(pc.equal(images["colorspace"], "CMYK"), settings["cmyk_to_rgb"])
        png = pc.and_(pc.equal(images["format"], "PNG"), settings["png_to_jpeg"])
        return frozenset(images["filename"].filter(pc.or_(cmyk, png)).to_pylist())

    def _index_folders(self) -> list[Path]:
        return [self.output_dir / TFRECORD_INDEX] if "indexes" in self.products else []

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.output_dir).as_posix()


_LABEL_FILES = (
    "synsets.parquet",
    "classes.csv",
    "val_labels.csv",
    "val_index.txt",
    "validation_synset_labels.txt",
    "wnid_to_index.txt",
)


def _map(
    pool: ProcessPoolExecutor, what: str, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    arguments = list(arguments)
    progress = Progress(what, len(arguments))
    for result in (
        pool.map(function, *zip(*arguments, strict=True), chunksize=max(1, len(arguments) // 400)) if arguments else ()
    ):
        progress.advance(1)
        yield result
