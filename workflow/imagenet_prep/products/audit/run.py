"""The whole audit of an output folder, each file read once, in as many processes as there are cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep import atomic
from imagenet_prep.dataset.names import BOXES_OF_SPLIT, LABEL_FILES, SUMS, TREE_OF_SPLIT
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit import folders, records, tables
from imagenet_prep.products.audit.comparison import Comparison
from imagenet_prep.products.audit.image_table import ImageTable
from imagenet_prep.products.audit.multilabel import check_multilabel_records
from imagenet_prep.products.audit.report import MOVE_AWAY, Check, Findings
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL, ShardSet
from imagenet_prep.products.tfds import FEATURES, INFO, LABEL_NAMES
from imagenet_prep.products.tree import Tree
from imagenet_prep.progress import Progress

SNAKEMAKE = "snakemake --cores N"


@dataclass
class Audit:
    """An audit of what lies in `output_dir`, against `config` (complete) and the tables made from the archives.

    Args:
        config: the whole configuration, as `configuration.complete` gives it.
        products: those to look at.
        splits: those whose archives are in use.
        workers: how many processes read.

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
        """Look at everything; without labels and the table of images there is nothing to hold the products against."""
        labels, folder = self.output_dir / "labels", self.output_dir / "tables"
        images_path, boxes, multilabel = (folder / f"{name}.parquet" for name in ("images", "bboxes", "multilabel"))
        if not self._look(
            "labels", labels, [labels / name for name in LABEL_FILES], "labels", tables.check_labels, labels
        ):
            return
        for split in self.splits:
            name, target = f"images {split}", str(images_path)
            if not self._look(
                name, images_path, [images_path], target, tables.check_images, images_path, split, labels
            ):
                return
        of_split = {split: ImageTable(images_path, split) for split in self.splits}
        with ProcessPoolExecutor(self.workers) as pool:
            if "imagefolder" in self.products:
                trees = {TREE_OF_SPLIT[split] for split in self.splits}
                self._nothing_else("imagefolder folder", self.output_dir / "imagefolder", trees)
                for split, part in of_split.items():
                    self._folders(pool, split, part)
            if "tfrecords" in self.products:
                self._records(pool, of_split)
        if "bboxes" in self.products:
            self._look("bboxes", boxes, [boxes], "bboxes", tables.check_boxes, boxes, ImageTable(images_path))
        if "multilabel" in self.products:
            self._look(
                "multilabel", multilabel, [multilabel], "multilabel", tables.check_multilabel, multilabel, labels
            )
        if "multilabel_tfrecords" in self.products:
            self._multilabel_records(multilabel, of_split["validation"])
        of_product = {"bboxes": boxes, "multilabel": multilabel, "multilabel_tfrecords": multilabel}
        made = {images_path, *(path for product, path in of_product.items() if product in self.products)}
        # What was a product earlier, perhaps of other classes, may stay, but is not vouched for.
        self._nothing_else("tables folder", folder, {path.name for path in (images_path, boxes, multilabel)})
        self._nothing_else("labels folder", labels, set(LABEL_FILES))
        others = {"indexes": TFRECORD_INDEX, "multilabel_tfrecords": TFRECORD_MULTILABEL}
        small = [self.output_dir / name for product, name in others.items() if product in self.products]
        for path in (*made, *(it for place in (labels, *small) for it in place.glob("*"))):
            if path.is_file() and self._relative(path) not in self.sums:
                self.sums[self._relative(path)] = atomic.sha256(path)

    def _look(
        self, name: str, place: Path, paths: list[Path], target: str, examine: Callable[..., Check], *arguments: Any
    ) -> bool:
        """Add the check that `examine(*arguments, mend)` makes of some files; return whether they could be read."""
        check = Check(name)
        missing = [str(path) for path in paths if not path.is_file()]
        mend = f"{SNAKEMAKE} {target}"
        again = f"rm -r {place} && {mend}"
        check.add_each("it is missing", missing, mend)
        if not missing:
            try:
                check = examine(*arguments, again)
            except PrepError as error:
                check.add(str(error), again)
                missing = [error.place]
            except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
                check.add(f"{place}: it is damaged and cannot be read ({type(error).__name__})", again)
                missing = [str(place)]
        self.checks.append(check)
        return not missing

    def _nothing_else(self, name: str, folder: Path, expected: set[str]) -> None:
        check = Check(name, {"entries": len(expected)})
        extra = sorted(str(path) for path in folder.glob("*") if path.name not in expected)
        check.add_each("no product of this configuration", extra, MOVE_AWAY)
        self.checks.append(check)

    def sha256sums(self) -> str:
        """The published files as `sha256sum -c` reads them."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))

    def check_sums(self) -> None:
        """Hold the files against the checksums that the last audit wrote; call it after `run`."""
        path = self.output_dir / SUMS
        check = Check(SUMS)
        if not path.is_file():
            check.add(f"{path}: it is missing", f"{SNAKEMAKE} audit")
        else:
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

    def _folders(self, pool: ProcessPoolExecutor, split: str, images: ImageTable) -> None:
        tree = Tree(self.output_dir, TREE_OF_SPLIT[split])
        check, findings = Check(f"imagefolder {tree.name}"), Findings()
        names = folders.folders_of(tree.root, split)
        each = [(tree.root, name) for name in names]
        parts = _map(pool, f"reading {tree.root}", "folders", folders.examine_folder, each)
        nothing = folders.FOUND.empty_table()
        compared: Iterator[tuple[pa.Table, pa.Table]]
        if split == "train":  # class by class, since it is large
            pairs = ((found, images.of_class(name, folders.COLUMNS)) for name, found in zip(names, parts, strict=True))
            others = sorted(images.classes.keys() - set(names))
            missing = ((nothing, images.of_class(name, folders.COLUMNS)) for name in others)
            compared = itertools.chain(pairs, missing)
        else:
            compared = iter([(pa.concat_tables([nothing, *parts]).combine_chunks(), images.read(folders.COLUMNS))])
        target = {"train": "imagefolder_train", "validation": "imagefolder_val"}.get(split, "imagefolder")
        val_dirs = self.config["imagefolder"]["val_dirs"]
        for found, wanted in compared:
            folders.compare_tree(check, findings, found, wanted, tree.root, split, val_dirs, f"{SNAKEMAKE} {target}")
        check.add_findings(findings)
        self.checks.append(check)

    def _records(self, pool: ProcessPoolExecutor, of_split: dict[str, ImageTable]) -> None:
        folder = self.output_dir / TFRECORD
        splits = [split for split in of_split if split in BOXES_OF_SPLIT]
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

    def _records_of(self, pool: ProcessPoolExecutor, split: str, images: ImageTable) -> None:
        check = Check(f"tfrecord {split}")
        mend = f"{SNAKEMAKE} tfrecords indexes" if "indexes" in self.products else f"{SNAKEMAKE} tfrecords"
        reencoded = self._reencoded(images)
        shards = ShardSet.of(self.config, TFRECORD, split)
        paths = [path for path in shards.paths() if path.is_file()]
        classes = tables.read_classes(self.output_dir / "labels")
        has_boxes = BOXES_OF_SPLIT[split] in self.config["use"]
        boxes = self._boxes(split) if has_boxes else None
        looks_at_boxes = not has_boxes or boxes is not None
        if not looks_at_boxes:
            table = self.output_dir / "tables" / "bboxes.parquet"
            check.add(f"{table}: it is missing, and the records' boxes are not looked at", f"{SNAKEMAKE} bboxes")
        label_base = self.config["tfrecord"]["label_base"]
        comparison = Comparison(
            check, shards, images, classes, boxes, label_base, reencoded, mend, looks_at_boxes=looks_at_boxes
        )
        for shard in _map(
            pool, f"reading the {split} shards", "files", records.examine_shard, [(path, reencoded) for path in paths]
        ):
            if isinstance(shard, PrepError):
                check.add(str(shard), f"rm {shard.place} && {mend}", kind="shard that cannot be read")
            else:
                comparison.add(shard)
                self.sums[self._relative(shard.path)] = shard.sha256
                if "indexes" in self.products:
                    folder = self.output_dir / TFRECORD_INDEX
                    records.compare_index(check, shard, folder, f"{SNAKEMAKE} indexes")
        comparison.finish()
        self.checks.append(check)

    def _boxes(self, split: str) -> Path | None:
        """A table that holds the boxes of a split; one that was copied elsewhere has no `state/`."""
        state, tables_ = self.output_dir / "state", self.output_dir / "tables"
        sources = (*sorted((state / "boxes").glob(f"{split}.*.parquet")), tables_ / "bboxes.parquet")
        return next((path for path in sources if path.is_file()), None)

    def _multilabel_records(self, table: Path, images: ImageTable) -> None:
        rows = images.read(["filename", "crc32c", "width", "height"])
        shards, mend = self.config["tfrecord"]["validation_shards"], f"{SNAKEMAKE} multilabel_tfrecords"

        def examine(_: str) -> Check:
            arguments = (self.output_dir, table, rows, self._reencoded(images), shards, self.sums, mend)
            return check_multilabel_records(*arguments)

        self._look(TFRECORD_MULTILABEL, table, [table], "multilabel", examine)

    def _reencoded(self, images: ImageTable) -> frozenset[str]:
        # Said again, and not asked of `tfrecords.Reencoding`: what is audited should not be its own witness.
        settings = self.config["tfrecord"]
        names: set[str] = set()
        for part in images.parts(["filename", "colorspace", "format"]):
            cmyk = pc.and_(pc.equal(part["colorspace"], "CMYK"), settings["cmyk_to_rgb"])
            png = pc.and_(pc.equal(part["format"], "PNG"), settings["png_to_jpeg"])
            names.update(part["filename"].filter(pc.or_(cmyk, png)).to_pylist())
        return frozenset(names)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.output_dir).as_posix()


def _map(
    pool: ProcessPoolExecutor, what: str, unit: str, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    arguments = list(arguments)
    progress = Progress(what, len(arguments), unit)
    for result in (
        pool.map(function, *zip(*arguments, strict=True), chunksize=max(1, len(arguments) // 400)) if arguments else ()
    ):
        progress.advance(1)
        yield result
