"""The audit of records: what it finds, what it leaves alone, and which command it names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import builders
from builders import FOX, TRUTH
from imagenet_prep.dataset.classes import select_classes
from imagenet_prep.dataset.images import write_images
from imagenet_prep.dataset.multilabel import MULTILABEL
from imagenet_prep.dataset.shards import write_plan
from imagenet_prep.formats import parquet
from imagenet_prep.products.audit import comparison
from imagenet_prep.products.audit.report import Problem
from imagenet_prep.products.audit.run import Audit
from imagenet_prep.products.labels import write_labels
from imagenet_prep.products.multilabel_records import write_multilabel_records
from imagenet_prep.products.shardset import TFRECORD, TFRECORD_MULTILABEL, ShardSet
from imagenet_prep.products.tfds import describe_imagenet, describe_multilabel, label_names
from imagenet_prep.products.tfrecords import Reencoding, write_shards

SHARDS = 3
BOTH = Reencoding()
BOXED = f"{FOX}_10.JPEG"
SIDES = {"xmin": 0.125, "ymin": 0.25, "xmax": 0.5, "ymax": 0.75}
CMYK = "ILSVRC2012_val_00000003.JPEG"
MEND = "snakemake --cores N tfrecords"


class World:
    """An output folder as the workflow leaves it, with the records of training images in three shards."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.archives = folder / "archives"
        self.config: dict[str, Any] = {
            "output_dir": str(self.out),
            "use": ["train", "val", "devkit", "bbox_train", "multilabel"],
            "tfrecord": {
                "train_shards": SHARDS,
                "validation_shards": 2,
                "label_base": 1,
                "cmyk_to_rgb": True,
                "png_to_jpeg": True,
            },
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
        self.boxes = self.out / "state" / "boxes" / "train.parquet"
        parquet.write(
            pa.table({"filename": [BOXED], "usable": [True]} | {s: [v] for s, v in SIDES.items()}), self.boxes
        )

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
            split="train",
            shards=SHARDS,
            seed=seed,
            label_base=label_base,
            output=plan,
        )
        tfrecord = self.out / TFRECORD
        for shard in shards:
            write_shards(plan, "train", shard, shard, self.archives / "train.tar", tfrecord, reencoding)
        describe_imagenet([], label_names(self.classes["wnid"].to_pylist(), label_base), tfrecord)

    def shard(self, number: int) -> Path:
        return ShardSet.of(self.config, TFRECORD, "train").paths()[number]

    def problems(self, *products: str, splits: Sequence[str] = ("train",)) -> list[Problem]:
        audit = Audit(self.config, list(products or ["tfrecords"]), list(splits), 1)
        audit.run()
        return [problem for check in audit.checks for problem in check.shown]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_records_as_they_are_made_have_no_problem(world: World) -> None:
    world.write()
    assert world.problems() == []


# Boxes


def test_boxes_of_an_archive_that_is_not_in_use_any_more_are_not_asked_for(world: World) -> None:
    world.config["use"].remove("bbox_train")
    world.write(boxes=False)
    assert world.problems() == []
    world.write(boxes=True)
    assert any("are not those of the table" in problem.text for problem in world.problems())


def test_boxes_are_held_against_the_table_of_all_boxes_where_there_is_no_other(world: World) -> None:
    shutil.copy(world.boxes, world.out / "tables" / "bboxes.parquet")
    world.write()
    shutil.rmtree(world.out / "state")
    assert world.problems() == []


def test_without_any_table_of_boxes_only_that_is_said(world: World) -> None:
    world.write()
    shutil.rmtree(world.out / "state")
    (problem,) = world.problems()
    assert problem.text.startswith(f"{world.out / 'tables' / 'bboxes.parquet'}: it is missing")
    assert problem.mend == "snakemake --cores N bboxes"


def test_records_without_the_boxes_of_an_archive_in_use_are_found(world: World) -> None:
    world.write(boxes=False)
    assert {problem.text.partition(": image ")[2].split(":")[0] for problem in world.problems()} == {BOXED}


# Features, and what mends them


def test_a_format_that_is_not_that_of_the_image_is_found(world: World) -> None:
    position = world.train.schema.get_field_index("format")
    png = world.train.set_column(position, "format", pa.array(["PNG"] * len(world.train)))
    world.write(images=png, reencoding=Reencoding(png=False))
    problems = world.problems()
    assert len(problems) == len(world.train) - 1  # the CMYK image is re-encoded
    assert {problem.text.partition(": its ")[2] for problem in problems} == {
        "format in the TFRecords is not that of the tables"
    }


def test_a_record_with_another_label_is_mended_by_making_its_shard_again(world: World) -> None:
    world.write()
    world.write([1], label_base=0)
    problems = world.problems()
    assert {problem.text.split(": ")[0] for problem in problems} == {str(world.shard(1))}
    assert {problem.mend for problem in problems} == {f"rm {world.shard(1)} && {MEND}"}


def test_wrong_records_in_many_shards_are_mended_by_making_all_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(label_base=0)
    every = " ".join(str(world.shard(number)) for number in range(SHARDS))
    assert {problem.mend for problem in world.problems()} == {f"rm {every} && {MEND}"}
    monkeypatch.setattr(comparison, "_SHARDS_IN_A_COMMAND", SHARDS - 1)
    folder = world.out / TFRECORD
    assert {problem.mend for problem in world.problems()} == {f"rm -f {folder}/train-*-of-00003 && {MEND}"}


def test_a_shard_of_another_order_is_mended_by_making_all_again(world: World) -> None:
    world.write()
    world.write([0], seed=2)
    problems = world.problems()
    assert {problem.text.rpartition(": ")[2] for problem in problems} == {
        "it is missing",
        "it is there more than once",
    }
    assert {problem.mend for problem in problems} == {f"rm -f {world.out / TFRECORD}/train-*-of-00003 && {MEND}"}


def test_an_image_under_another_name_comes_back_with_its_shard_alone(world: World) -> None:
    names = world.train["filename"].to_pylist()
    names[4] = "other.JPEG"
    position = world.train.schema.get_field_index("filename")
    world.write(images=world.train.set_column(position, "filename", pa.array(names)))
    unknown, missing = world.problems()
    shard = unknown.text.split(": ")[0]
    assert unknown.text == f"{shard}: image other.JPEG: no archive in use holds it"
    assert unknown.mend == f"rm {shard} && {MEND}"
    assert missing.text.endswith(": it is missing")
    assert missing.mend == MEND


def test_what_a_deleted_shard_held_comes_back_without_making_the_others_again(world: World) -> None:
    world.write()
    world.shard(2).unlink()
    problems = world.problems("tfrecords", "indexes")
    assert any("tfrecord: image " in problem.text for problem in problems)
    assert not any(problem.mend.startswith("rm") for problem in problems)


# The multi-label set


class Annotated(World):
    """With all validation images annotated, the first two of them in ImageNet-M."""

    def annotate(self, hard: int = 2, shards: int = 2, reencoding: Reencoding = BOTH) -> None:
        table, images = self.out / "tables" / "multilabel.parquet", self.out / "state" / "images" / "validation.parquet"
        rows = [
            {
                "file_name": row["filename"],
                "original_label": row["index"],
                "correct_multi_labels": [row["index"]],
                "wrong_multi_labels": [],
                "unclear_multi_labels": [],
                "is_problematic": False,
                "imagenet_m": number < hard,
            }
            for number, row in enumerate(self.validation.to_pylist())
        ]
        parquet.write(pa.Table.from_pylist(rows, schema=MULTILABEL), table)
        write_images([self.validation], images)
        archive = self.archives / "val.tar"
        splits = write_multilabel_records(
            table, images, archive, self.out, shards=shards, seed=1, reencoding=reencoding
        )
        describe_multilabel(splits, self.classes["wnid"].to_pylist(), self.out / TFRECORD_MULTILABEL)

    def problems(self, *products: str, splits: Sequence[str] = ("validation",)) -> list[Problem]:
        return super().problems(*(products or ["multilabel_tfrecords"]), splits=splits)


@pytest.fixture
def annotated(tmp_path: Path) -> Annotated:
    return Annotated(tmp_path)


@pytest.mark.parametrize("hard", [0, 2])
def test_the_multi_label_set_as_it_is_made_has_no_problem(annotated: Annotated, hard: int) -> None:
    annotated.annotate(hard)
    assert annotated.problems() == []


def test_a_re_encoded_image_of_the_multi_label_set_is_looked_at(annotated: Annotated) -> None:
    annotated.annotate(reencoding=Reencoding(cmyk=False))
    problems = [problem for problem in annotated.problems() if CMYK in problem.text and "RGB JPEG" in problem.text]
    assert problems
    shard = problems[0].text.split(", byte ")[0]
    assert problems[0].mend == f"rm {shard} && snakemake --cores N multilabel_tfrecords"


def test_a_multi_label_set_of_another_number_of_shards_is_not_that_of_the_configuration(annotated: Annotated) -> None:
    annotated.annotate(shards=3)
    problems = annotated.problems()
    folder = annotated.out / TFRECORD_MULTILABEL
    for number in range(2):
        assert f"{folder}/validation-0000{number}-of-00002: it is missing" in [problem.text for problem in problems]
    for number in range(3):
        extra = f"{folder}/validation-0000{number}-of-00003: no product of this configuration"
        assert extra in [problem.text for problem in problems]


def test_without_an_image_of_imagenet_m_its_old_shard_is_too_much(annotated: Annotated) -> None:
    annotated.annotate()
    old = annotated.out / TFRECORD_MULTILABEL / "imagenet_m-00000-of-00001"
    content = old.read_bytes()
    annotated.annotate(hard=0)
    old.write_bytes(content)
    assert [problem.text for problem in annotated.problems()] == [f"{old}: no product of this configuration"]


def test_an_image_that_is_not_of_imagenet_m_is_found_there(annotated: Annotated) -> None:
    annotated.annotate()
    folder = annotated.out / TFRECORD_MULTILABEL
    shutil.copy(folder / "validation-00000-of-00002", folder / "imagenet_m-00000-of-00001")
    assert any("it is in imagenet_m and should not be" in problem.text for problem in annotated.problems())
