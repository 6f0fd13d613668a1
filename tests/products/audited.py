"""Output folders as the workflow leaves them, made without it, for audits to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import builders
from builders import FOX, TRUTH
from imagenet_prep import atomic
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.human_accuracy import MULTILABEL
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.images import write_images
from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.plan import write_plan
from imagenet_prep.engine.receipts import described
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.engine.shard_writer import Reencoding, write_shards
from imagenet_prep.formats import parquet, tfrecord
from imagenet_prep.formats.stream import Stream
from imagenet_prep.products.audit.findings import Problem
from imagenet_prep.products.audit.run import Audit
from imagenet_prep.products.labels import write_labels
from imagenet_prep.products.registry import SHARDED_PRODUCTS
from imagenet_prep.products.tfds import describe_imagenet, describe_multilabel, label_names

SHARDS = 3
BOTH = Reencoding()
BOXED = f"{FOX}_10.JPEG"
SIDES = {"xmin": 0.125, "ymin": 0.25, "xmax": 0.5, "ymax": 0.75}
CMYK = "ILSVRC2012_val_00000003.JPEG"
MEND = "snakemake --cores all tfrecord_train"
RECORDS, ANNOTATED = SHARDED_PRODUCTS["tfrecord"], SHARDED_PRODUCTS["tfrecord_multilabel"]


class World:
    """An output folder as the workflow leaves it, with the records of training images in three shards."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.archives = folder / "archives"
        self.config: dict[str, Any] = {
            "output_dir": str(self.out),
            "archives_dir": str(self.archives),
            "archives": {name: {"file": it.file} for name, it in ILSVRC2012.archives.items()},
            "use": ["train", "val", "devkit", "bbox_train", "multilabel"],
            "classes": None,
            "subset_labels": "original",
            "shards": {"seed": 1, "cmyk_to_rgb": True, "png_to_jpeg": True},
            "tfrecord": {"train_shards": SHARDS, "validation_shards": 2, "label_base": 1},
        }
        self.synsets = builders.synsets()
        self.classes = select_classes(self.synsets, None, "original")
        write_labels(self.synsets, TRUTH, self.classes, self.out / "labels")
        train = builders.train_images() | {f"{FOX}_9.JPEG": builders.image(1, mode="CMYK")}
        self.train = builders.labelled(self.archives, "train", train)
        validation = builders.val_images() | {CMYK: builders.image(3, (40, 30), mode="CMYK")}
        self.validation = builders.labelled(self.archives, "validation", validation)
        parts = [self.train.filter(pc.equal(self.train["wnid"], wnid)) for wnid in sorted(builders.WNIDS[:3])]
        write_images([*parts, self.validation], self.out / "tables" / "images.parquet")
        self.boxes = self.out / "state" / "boxes" / "train.0123456789.1.parquet"
        parquet.write(
            pa.table({"filename": [BOXED], "usable": [True]} | {s: [v] for s, v in SIDES.items()}), self.boxes
        )
        atomic.write_json(self.boxes.with_suffix(".json"), {"files": described(self.out, [self.boxes])})

    def write(
        self,
        shards: Sequence[int] = range(SHARDS),
        *,
        seed: int = 1,
        label_base: int = 1,
        boxes: bool = True,
        images: pa.Table | None = None,
        reencoding: Reencoding = BOTH,
    ) -> None:
        """Write some shards, with what a bug or another configuration would make of them."""
        folder = self.out.parent
        write_images([self.train if images is None else images], folder / "images.parquet")
        plan = folder / "plan.parquet"
        write_plan(
            folder / "images.parquet",
            self.boxes if boxes else None,
            self.classes,
            shards=SHARDS,
            seed=seed,
            label_base=label_base,
            key="",
            output=plan,
        )
        made = self.set()
        for shard in shards:
            write_shards(plan, made, shard, shard, self.archives / "train.tar", reencoding, RECORDS.write)
        describe_imagenet([], label_names(self.classes["wnid"].to_pylist(), label_base), made.folder)

    def set(self) -> ShardSet:
        return RECORDS.shard_set(self.out, "train", SHARDS)

    def shard(self, number: int) -> Path:
        return self.set().paths()[number]

    def problems(self, *products: str, splits: Sequence[str] = ("train",)) -> list[Problem]:
        audit = Audit(self.config, list(products or ["tfrecord"]), list(splits), 1)
        audit.run()
        return [problem for check in audit.checks for problem in check.shown]


class Tables(Inputs):
    """What a plan is given, with the tables that it is made from, by step."""

    def __init__(self, config: dict[str, Any], settings: dict[str, Any], tables: dict[str, Path]) -> None:
        super().__init__(config, settings, [])
        self._tables = tables

    def table(self, step: str, subject: str = "", kind: str = "parquet") -> Path:
        return self._tables[step]

    def file(self, step: str, path: str) -> Path:
        return self._tables[step]


class Annotated(World):
    """With all validation images annotated, the first two of them in ImageNet-M."""

    def annotate(self, hard: int = 2, shards: int = 2, reencoding: Reencoding = BOTH) -> None:
        table, images = self.out / "tables" / "multilabel.parquet", self.out / "state" / "images" / "validation.parquet"
        rows = [
            {
                "file_name": row["filename"],
                "original_label": row["class_index"],
                "correct_multi_labels": [row["class_index"]],
                "wrong_multi_labels": [],
                "unclear_multi_labels": [],
                "is_problematic": False,
                "imagenet_m": number < hard,
            }
            for number, row in enumerate(self.validation.to_pylist())
        ]
        parquet.write(pa.Table.from_pylist(rows, schema=MULTILABEL), table)
        write_images([self.validation], images)
        for path in (self.out / ANNOTATED.path).glob("*-of-*"):
            path.unlink()
        for split in ("validation", "imagenet_m"):
            plan = self.out.parent / f"{split}.parquet"
            number = min(shards, len(self.validation)) if split == "validation" else 1
            given = Tables(self.config, {"shards": number, "seed": 1}, {"images": images, "multilabel": table})
            made = ShardSet(self.out, ANNOTATED.name, split, ANNOTATED.plan(given, split, plan)["shards"])
            for shard in range(made.shards):
                write_shards(plan, made, shard, shard, self.archives / "val.tar", reencoding, ANNOTATED.write)
        describe_multilabel([], self.classes["wnid"].to_pylist(), self.out / ANNOTATED.path)

    def problems(self, *products: str, splits: Sequence[str] = ("validation",)) -> list[Problem]:
        return super().problems(*(products or ["tfrecord_multilabel"]), splits=splits)


def records_of(shard: Path) -> list[bytes]:
    """The data of its records, in order."""
    with open(shard, "rb", buffering=0) as file, Stream(file) as stream:
        return [bytes(data) for _, data in tfrecord.records(stream, str(shard))]


def write_records(shard: Path, records: Sequence[bytes]) -> None:
    """A shard of these records."""
    framed = ((data, tfrecord.frame([data])) for data in records)
    shard.write_bytes(b"".join(header + data + footer for data, (header, footer) in framed))
