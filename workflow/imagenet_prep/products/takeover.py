"""Takes over what a version before 0.1 made, whose receipts did not say with which settings: form 1 of `state/`.

Nothing is believed. The tables between the steps are made again from the scans, and where they are the same as those
on the disk, what was made of those is what would be made now, and gets a receipt. All else is made anew.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crc32c import crc32c

from imagenet_prep import atomic
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.engine import archive_paths, batches, runs
from imagenet_prep.engine import receipts as made
from imagenet_prep.engine.images import label_images, write_images
from imagenet_prep.engine.plan import write_plan
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import STATE, Body, Name, described, table
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.engine.step import ALL, part_of
from imagenet_prep.engine.table_steps import expected
from imagenet_prep.engine.tables import GROUND_TRUTH_TABLE, SYNSET_TABLE, devkit_of
from imagenet_prep.engine.verification import body as body_of_archive
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet, tfrecord
from imagenet_prep.products.class_folders import Tree
from imagenet_prep.products.imagefolder import folder_of, is_cut, read_rows
from imagenet_prep.products.registry import SHARDED_PRODUCTS, STEPS
from imagenet_prep.products.tfrecord import encode_features

IMAGEFOLDER, TFRECORD, TFRECORD_INDEX = "imagefolder", "tfrecord", "tfrecord_index"
# The columns of its tables that have another name now.
_COLUMNS_NOW = {"index": "class_index", "nbytes": "length"}
# The versions of the steps that made what is taken over.
_VERSIONS = {"devkit": 1, "images": 1, "boxes": 1, "plan": 2, IMAGEFOLDER: 1, TFRECORD: 1, TFRECORD_INDEX: 1}
_FOLDERS = ("archives", *_VERSIONS, "tfrecord_multilabel")

log = logging.getLogger(__name__)


class Takeover:
    """Takes over the output folder of a configuration, complete, whose state is of form 1."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.output_dir = Path(config["output_dir"])
        self.state = self.output_dir / STATE
        self._provenance = Provenance(config, STEPS)
        self._dataset = dataset_of(config)
        self._taken: list[Path] = []
        self._scans: dict[str, Path] = {}

    def run(self) -> list[str]:
        """Write the receipts of all that is as it would be made now, remove the old ones; return what was taken over.

        What is found to be damaged is left to the jobs that make it.
        """
        if runs.is_claimed(self.output_dir):
            runs.disclaim(self.output_dir, self._dataset.name)
        for name in self.config["use"]:
            self._attempt(self._archive, name)
        self._attempt(self._devkit)
        for split in self._dataset.splits_in_use(self.config):
            self._attempt(self._split, split.name)
        taken = sorted(path.relative_to(self.state).as_posix() for path in self._taken)
        for step in sorted({path.partition("/")[0] for path in taken}):
            log.info("taken over: %d receipts of %s", sum(path.startswith(f"{step}/") for path in taken), step)
        self._remove_form_1()
        runs.claim(self.output_dir, self._dataset.name)
        return taken

    def _attempt(self, take: Any, *arguments: str) -> None:
        try:
            take(*arguments)
        except (PrepError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("not taken over: %s %s (%s)", take.__name__.strip("_"), " ".join(arguments), error)

    def _write(self, receipt: Path, step: str, subject: str, body: Body) -> None:
        archives = self._provenance.archives(step, subject) if step in STEPS else []
        listed = [os.fspath(self._scan_of(name)) for name in archives]
        settings = self._provenance.settings(step, subject) if step in STEPS else expected(self.config, subject)
        known = made.contents(self.state, archives, listed)
        atomic.write_json(receipt, {"settings": settings, "archives": known, **body})
        self._taken.append(receipt)

    def _archive(self, name: str) -> None:
        verified = self.output_dir / "verified" / f"{name}.json"
        noted = json.loads(verified.read_text(encoding="utf-8"))
        size, time = map(int, (self.state / "archives" / f"{name}.stat").read_text(encoding="utf-8").split())
        archive, settings = self._provenance.archive(name), self.config["archives"][name]
        wanted = expected(self.config, name)
        fits = noted["format_version"] == 2 and noted["file"] == settings["file"] and noted["bytes"] == size
        if not fits or noted["expected"] not in (wanted["checksum"], wanted.get("unpacked_sha256")):
            raise ValueError("it was verified against something else")
        if archive and archive_paths.is_linked(self.config, name, archive):
            atomic.write_json(self._provenance.fetched(name), {"file": settings["file"]})
        receipt, files = self._provenance.archive_receipt(name), [verified]
        if archive and archive_paths.stat(archive) != [size, time]:
            # It was changed since, or touched: it is read again, under the number that this run asks for.
            receipt = receipt.with_name(str(dataclasses.replace(_name(receipt), number=0)))
        self._scans[name] = receipt
        scan = self.state / "archives" / f"{name}.parquet"
        if name in self._dataset.of_archive:
            self._copy(scan, table(receipt))
            files.append(table(receipt))
        self._write(receipt, "archives", name, body_of_archive(self.output_dir, [size, time], noted, files))

    def _scan_of(self, name: str) -> Path:
        return self._scans.get(name) or self._provenance.archive_receipt(name)

    def _devkit(self) -> None:
        self._expect_version("devkit")
        receipt, files = self._provenance.receipt("devkit"), []
        for kind in (SYNSET_TABLE, GROUND_TRUTH_TABLE):
            self._copy(self.state / "devkit" / kind, table(receipt, kind))
            files.append(table(receipt, kind))
        self._write(receipt, "devkit", ALL, {"files": described(self.output_dir, files)})

    def _split(self, split: str) -> None:
        images = self._images(split)
        if not parquet.same_rows(images, self.state / "images" / f"{split}.parquet", _COLUMNS_NOW):
            raise ValueError("it was made of other classes")
        self._attempt(self._folders, split, str(images))
        if self._dataset.splits[split].in_shards:
            self._attempt(self._records, split, str(images))

    def _images(self, split: str) -> Path:
        """Make the split's images again."""
        settings, receipt = self._provenance.settings("images", split), self._provenance.receipt("images", split)
        devkit = devkit_of(os.fspath(self._provenance.receipt("devkit")))
        classes = select_classes(devkit.synsets, **settings["classes"])
        of = self._dataset.splits[split]
        name = of.archive
        scan, archive = table(self._scan_of(name)), archive_paths.archive_of(self.config, name)
        rows = label_images(scan, of, devkit.synsets, devkit.ground_truth, classes, archive)
        body = {"images": write_images(rows, table(receipt)), "files": described(self.output_dir, [table(receipt)])}
        self._write(receipt, "images", split, body)
        return table(receipt)

    def _folders(self, split: str, images: str) -> None:
        self._expect_version(IMAGEFOLDER)
        of, settings = self._dataset.splits[split], self._provenance.settings(IMAGEFOLDER, split)
        tree = Tree(self.output_dir, of.folder)
        old = self._old_receipts(IMAGEFOLDER, split, "folders")
        synsets = devkit_of(os.fspath(self._provenance.receipt("devkit"))).synsets
        wnids = select_classes(synsets, **settings["classes"])["wnid"].to_pylist()
        for receipt in self._provenance.batches(IMAGEFOLDER, split):
            folders: dict[str, set[str]] = {}
            first, last = _units(receipt)
            chosen = wnids[first : last + 1] if is_cut(self._dataset, split) else None
            for row in read_rows(Path(images), chosen):
                folders.setdefault(folder_of(row, of, settings["val_dirs"]), set()).add(row["filename"])
            if all(
                old.get(name) == len(files) and tree.made(name) == files and files <= _listed(tree.root / name)
                for name, files in folders.items()
            ):
                body = {tree.path(name): tree.made_in(name, len(files)) for name, files in sorted(folders.items())}
                self._write(receipt, IMAGEFOLDER, split, {"folders": body})

    def _records(self, split: str, images: str) -> None:
        plan = self._plan(split, Path(images))
        if not parquet.same_rows(plan, self.state / "plan" / f"{split}.parquet", _COLUMNS_NOW, ["archive"]):
            raise ValueError("its records are of other settings")
        self._expect_version(TFRECORD)
        count = SHARDED_PRODUCTS[TFRECORD].count(self.config, split)
        shards, old = ShardSet(self.output_dir, TFRECORD, split, count), self._old_receipts(TFRECORD, split, "files")
        right = [self._is_right(plan, number, path, old) for number, path in enumerate(shards.paths())]
        for receipt in self._provenance.batches(TFRECORD, split):
            first, last = _units(receipt)
            if all(right[first : last + 1]):
                files = {name: old[Path(name).name] for name in shards.names()[first : last + 1]}
                self._write(receipt, TFRECORD, split, {"files": files})
        self._expect_version(TFRECORD_INDEX)
        indexes = ShardSet(self.output_dir, TFRECORD_INDEX, split, count)
        known = self._old_receipts(TFRECORD_INDEX, split, "files")
        for receipt in self._provenance.batches(TFRECORD_INDEX, split):
            first, last = _units(receipt)
            paths = indexes.paths()[first : last + 1]
            if all(right[first : last + 1]) and all(path.name in known and path.is_file() for path in paths):
                files = described(self.output_dir, paths)
                for path, of_file in zip(paths, files.values(), strict=True):
                    of_file["records"] = known[path.name]
                self._write(receipt, TFRECORD_INDEX, split, {"files": files})

    def _plan(self, split: str, images: Path) -> Path:
        """Make the plan of the split's shards again, of the boxes on the disk."""
        self._expect_version("boxes")
        boxes = None
        for step, subject in self._provenance.needs("plan", part_of(TFRECORD, split)):
            if step == "boxes":
                receipt = self._provenance.receipt(step, subject)
                noted = json.loads((self.state / step / f"{subject}.json").read_text(encoding="utf-8"))
                boxes = table(receipt)
                self._copy(self.state / step / f"{subject}.parquet", boxes)
                counts = {key: n for key, n in noted.items() if key not in ("sha256", "format_version")}
                self._write(receipt, step, subject, {**counts, "files": described(self.output_dir, [boxes])})
        self._expect_version("plan")
        subject = part_of(TFRECORD, split)
        settings, receipt = self._provenance.settings("plan", subject), self._provenance.receipt("plan", subject)
        synsets = devkit_of(os.fspath(self._provenance.receipt("devkit"))).synsets
        body = write_plan(
            images,
            boxes,
            select_classes(synsets, **settings["classes"]),
            shards=settings["shards"],
            seed=settings["seed"],
            label_base=settings["label_base"],
            key=SHARDED_PRODUCTS[TFRECORD].shards_key(split),
            output=table(receipt),
        )
        self._write(receipt, "plan", subject, {**body, "files": described(self.output_dir, [table(receipt)])})
        return table(receipt)

    def _is_right(self, plan: Path, shard: int, path: Path, old: Mapping[str, Any]) -> bool:
        """Whether a shard of the same plan has its odd images as they are asked for now; its size tells.

        An image that was encoded again has another size than before.
        """
        noted = old.get(path.name)
        if noted is None or not path.is_file() or path.stat().st_size != noted["bytes"]:
            return False
        rows = parquet.read_groups(parquet.open_table(plan), plan, [shard], ["colorspace", "format"]).to_pylist()
        odd = {cmyk for row in rows for cmyk in [row["colorspace"] == "CMYK"] if cmyk or row["format"] == "PNG"}
        if not odd:
            return True
        wanted = Reencoding.of(self._provenance.settings(TFRECORD))
        as_asked = {wanted.cmyk if cmyk else wanted.png for cmyk in odd}
        # Where the two kinds are to be treated differently in one shard, its size does not tell.
        return len(as_asked) == 1 and as_asked == {noted["bytes"] != _plain_size(plan, shard)}

    def _expect_version(self, step: str) -> None:
        if STEPS[step].version != _VERSIONS[step]:
            raise ValueError(f"the format of {step} is another one now")

    def _old_receipts(self, step: str, split: str, key: str) -> dict[str, Any]:
        """What the receipts of form 1 name of a split, whatever their batches were."""
        found: dict[str, Any] = {}
        for path in (self.state / step).glob(f"{split}-*.json"):
            if batches.parse(path.stem):
                found.update(json.loads(path.read_text(encoding="utf-8"))[key])
        return found

    def _copy(self, source: Path, target: Path) -> None:
        """Copy a table, if the CRC-32C holds that form 1 has in front of its footer, as a little-endian uint32."""
        content = source.read_bytes()
        begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
        seal = b"CRC32C\r\n" + crc32c(content[max(0, begin) : -8]).to_bytes(4, "little")
        if content[max(0, begin - len(seal)) : max(0, begin)] != seal:
            raise ValueError(f"{source}: the checksum of its footer does not hold")
        with atomic.replacing(target) as partial:
            partial.write_bytes(content)

    def _remove_form_1(self) -> None:
        for name in ("splits.json", "published.json"):
            (self.state / name).unlink(missing_ok=True)
        new = {str(name) for folder in _FOLDERS for name in made.names(self.state / folder)}
        kept = {name.removesuffix(".json") for name in new}
        old = [it for folder in _FOLDERS for it in (self.state / folder).glob("*")]
        # The .stat files tell that the state is of form 1. They go last, so that a killed run is gone on with.
        for path in sorted(old, key=lambda it: it.suffix == ".stat"):
            if path.is_file() and not any(path.name.startswith(f"{name}.") for name in kept):
                path.unlink()


def _units(receipt: Path) -> tuple[int, int]:
    batch = batches.parse(_name(receipt).subject)
    assert batch is not None
    return batch[1]


def _listed(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()


def _name(receipt: Path) -> Name:
    name = Name.parse(receipt.name)
    assert name is not None
    return name


def _plain_size(plan: Path, shard: int) -> int:
    """The bytes of a shard in which no image is encoded again."""
    rows = parquet.read_groups(parquet.open_table(plan), plan, [shard]).to_pylist()
    return sum(
        len(example.around(encode_features(row), "image/encoded", row["length"]))
        + row["length"]
        + tfrecord.HEADER_BYTES
        + tfrecord.FOOTER_BYTES
        for row in rows
    )
