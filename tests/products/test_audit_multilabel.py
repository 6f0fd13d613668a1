"""The audit of the multi-label set: what it finds, what it leaves alone, and which command it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from imagenet_prep.datasets.human_accuracy import MULTILABEL
from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.formats import parquet
from products.audited import CMYK, Annotated, records_of, write_records


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
    shard = problems[0].text.split(": image ")[0]
    assert problems[0].mend == f"rm -f {shard} && snakemake --cores all tfrecord_multilabel_validation"


def test_a_multi_label_set_of_another_number_of_shards_is_not_that_of_the_configuration(annotated: Annotated) -> None:
    annotated.annotate(shards=3)
    problems = annotated.problems()
    folder = annotated.out / "tfrecord_multilabel"
    for number in range(2):
        assert f"{folder}/validation-0000{number}-of-00002: it is missing" in [problem.text for problem in problems]
    for number in range(3):
        extra = f"{folder}/validation-0000{number}-of-00003: no product of this configuration"
        assert extra in [problem.text for problem in problems]


def test_without_an_image_of_imagenet_m_its_old_shard_is_too_much(annotated: Annotated) -> None:
    annotated.annotate()
    old = annotated.out / "tfrecord_multilabel" / "imagenet_m-00000-of-00001"
    content = old.read_bytes()
    annotated.annotate(hard=0)
    old.write_bytes(content)
    assert [problem.text for problem in annotated.problems()] == [f"{old}: no product of this configuration"]


def test_an_image_that_is_not_of_imagenet_m_is_found_there(annotated: Annotated) -> None:
    annotated.annotate()
    folder = annotated.out / "tfrecord_multilabel"
    shutil.copy(folder / "validation-00000-of-00002", folder / "imagenet_m-00000-of-00001")
    assert any("it is in imagenet_m and should not be" in problem.text for problem in annotated.problems())


def test_labels_that_are_not_those_of_the_annotations_are_found(annotated: Annotated) -> None:
    annotated.annotate()
    path = annotated.out / "tables" / "multilabel.parquet"
    rows = parquet.read(path).to_pylist()
    rows[1]["correct_multi_labels"] = [*rows[1]["correct_multi_labels"], 2]
    parquet.write(pa.Table.from_pylist(rows, schema=MULTILABEL), path)
    wrong = f"image {rows[1]['file_name']}: its correct_multi_labels in tfrecord_multilabel are not those of the tables"
    assert any(wrong in problem.text for problem in annotated.problems())


def test_an_image_of_the_multi_label_set_that_is_not_that_of_the_archive_is_found(annotated: Annotated) -> None:
    annotated.annotate(hard=0)
    shard = annotated.out / "tfrecord_multilabel" / "validation-00000-of-00002"
    records = records_of(shard)
    number = next(number for number, record in enumerate(records) if CMYK.encode() not in record)  # that is re-encoded
    changed = bytearray(records[number])
    changed[changed.index(b"\xff\xd8") + 300] ^= 1
    write_records(shard, [*records[:number], bytes(changed), *records[number + 1 :]])
    assert any("its bytes are not those of the archive" in problem.text for problem in annotated.problems())


def test_a_record_of_the_multi_label_set_that_is_none_is_found(annotated: Annotated) -> None:
    annotated.annotate(hard=0)
    write_records(annotated.out / "tfrecord_multilabel" / "validation-00000-of-00002", [b"no example"])
    assert any("is not what it should be" in problem.text for problem in annotated.problems())
