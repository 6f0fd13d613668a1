"""The audit of records: what it finds, what it leaves alone, and which command it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import builders
from imagenet_prep.engine.images import write_images
from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.products.audit import comparison
from products.audited import BOXED, MEND, SHARDS, World, records_of, write_records


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
    assert any("are not those of the tables" in problem.text for problem in world.problems())


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
    assert problem.mend == "snakemake --cores all bboxes"


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
        "format in tfrecord is not that of the tables"
    }


def test_a_record_with_another_label_is_mended_by_making_its_shard_again(world: World) -> None:
    world.write()
    world.write([1], label_base=0)
    problems = world.problems()
    assert {problem.text.split(": ")[0] for problem in problems} == {str(world.shard(1))}
    assert {problem.mend for problem in problems} == {f"rm -f {world.shard(1)} && {MEND}"}


def test_wrong_records_in_many_shards_are_all_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(label_base=0)
    every = " ".join(str(world.shard(number)) for number in range(SHARDS))

    def mends() -> set[str]:
        return {problem.mend for problem in world.problems() if "its label in tfrecord" in problem.text}

    assert mends() == {f"rm -f {every} && {MEND}"}
    monkeypatch.setattr(comparison, "_UNITS_IN_A_COMMAND", SHARDS - 1)
    folder = world.out / "tfrecord"
    assert mends() == {f"rm -f {folder}/train-*-of-00003 && {MEND}"}


def test_a_shard_of_another_order_is_mended_by_making_all_again(world: World) -> None:
    world.write()
    world.write([0], seed=2)
    problems = world.problems()
    assert {problem.text.rpartition(": ")[2] for problem in problems} == {
        "it is missing",
        "it is there more than once",
    }
    assert {problem.mend for problem in problems} == {f"rm -f {world.out / 'tfrecord'}/train-*-of-00003 && {MEND}"}


def test_records_that_are_not_in_the_order_of_the_seed_are_named_with_their_shards(world: World) -> None:
    world.write()
    write_records(world.shard(1), records_of(world.shard(1))[::-1])
    (problem,) = world.problems()
    assert problem.text == f"{world.shard(1)}: its records are not in the order that follows from shards.seed"
    assert problem.mend == f"rm -f {world.shard(1)} && {MEND}"


def test_an_image_under_another_name_comes_back_with_its_shard_alone(world: World) -> None:
    names = world.train["filename"].to_pylist()
    names[4] = "other.JPEG"
    position = world.train.schema.get_field_index("filename")
    world.write(images=world.train.set_column(position, "filename", pa.array(names)))
    unknown, missing = world.problems()
    shard = unknown.text.split(": ")[0]
    assert unknown.text == f"{shard}: image other.JPEG: no archive in use holds it"
    assert unknown.mend == f"rm -f {shard} && {MEND}"
    assert missing.text.endswith(": it is missing")
    assert missing.mend == MEND


def test_what_a_deleted_shard_held_comes_back_without_making_the_others_again(world: World) -> None:
    world.write()
    world.shard(2).unlink()
    problems = world.problems("tfrecord", "tfrecord_index")
    assert any("tfrecord: image " in problem.text for problem in problems)
    assert not any(problem.mend.startswith("rm") for problem in problems)


def test_shards_that_are_not_even_are_all_made_again(world: World) -> None:
    world.write()
    one, other = (records_of(world.shard(number)) for number in (0, 1))
    write_records(world.shard(0), [*one, *other[:2]])
    write_records(world.shard(1), other[2:])
    (problem,) = world.problems()
    assert problem.text.endswith("they should be even within one")
    assert problem.mend == f"rm -f {world.out / 'tfrecord'}/train-*-of-00003 && {MEND}"


# Labels and the table of images


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("tf_label", "9", "the classes are not numbered by sorted WNID"),
        ("ilsvrc2012_id", "9", "its ILSVRC2012 IDs are not those of synsets.parquet"),
        ("class_index", "9", "the indices of the validation labels are not those of classes.csv"),
    ],
)
def test_a_class_with_another_number_is_found(world: World, column: str, value: str, words: str) -> None:
    path = world.out / "labels" / "classes.csv"
    classes = pd.read_csv(path, dtype=str)
    classes.loc[0, column] = value
    classes.to_csv(path, index=False)
    assert any(words in problem.text for problem in world.problems("labels"))


def test_a_table_of_images_that_is_out_of_order_is_found(world: World) -> None:
    parts = [world.train.filter(pc.equal(world.train["wnid"], wnid)) for wnid in sorted(builders.WNIDS[:3])]
    write_images([*reversed(parts), world.validation], world.out / "tables" / "images.parquet")
    assert any("or they are out of order" in problem.text for problem in world.problems("labels"))
