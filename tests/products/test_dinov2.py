"""What DINOv2 reads, held against what its description says."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import builders
from builders import CRANE, FOX, MACHINE
from configuration.official import overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.errors import PrepError
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

TEST = {f"ILSVRC2012_test_{number:08d}.JPEG": builders.image(number) for number in (3, 1, 2)}
FIELDS = ["actual_index", "class_index", "class_id", "class_name"]


@pytest.fixture
def world(tmp_path: Path) -> Jobs:
    jobs = Jobs(tmp_path, {"use": ["train", "val", "test", "devkit"]})
    jobs.images("train", builders.train_images())
    jobs.images("validation", builders.val_images())
    jobs.images("test", TEST)
    for split in ("train", "validation", "test"):
        jobs.make("dinov2", split, 0, 0)
    return jobs


def entries(world: Jobs, split: str) -> list[tuple[int, int, str, str]]:
    found = np.load(world.output_dir / "dinov2" / f"entries-{split}.npy", mmap_mode="r")
    assert found.dtype.names == tuple(FIELDS)
    assert [found.dtype[name].str[:2] for name in FIELDS] == ["<u", "<u", "<U", "<U"]
    return [tuple(entry) for entry in found.tolist()]


def turned(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]


def problems_with(world: Jobs, path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    reading = SPLIT_PRODUCTS["dinov2"].read(world.config, "test", path, ())
    return [str(problem) for problem in reading.problems]


def test_training_images_stand_in_the_order_of_torchvision_s_class_folders(world: Jobs) -> None:
    assert entries(world, "TRAIN") == [
        (number, index, wnid, f"words of {wnid}")
        for index, wnid in enumerate((CRANE, FOX, MACHINE))
        for number in (10, 2, 9)  # as file names are sorted
    ]


def test_validation_images_have_the_numbers_of_their_names(world: Jobs) -> None:
    wnids = [builders.WNIDS[number - 1] for number in builders.TRUTH]
    found = entries(world, "VAL")
    assert {number: wnid for number, _, wnid, _ in found} == dict(enumerate(wnids, 1))
    assert [wnid for _, _, wnid, _ in found] == sorted(wnids)


def test_images_of_the_test_set_have_no_class(world: Jobs) -> None:
    assert entries(world, "TEST") == [(number, 2**32 - 1, "", "") for number in (1, 2, 3)]


def test_classes_are_listed_by_index(world: Jobs) -> None:
    for split in ("TRAIN", "VAL"):
        ids = np.load(world.output_dir / "dinov2" / f"class-ids-{split}.npy")
        names = np.load(world.output_dir / "dinov2" / f"class-names-{split}.npy")
        assert ids.tolist() == [CRANE, FOX, MACHINE]
        assert names.tolist() == [f"words of {wnid}" for wnid in ids]


def test_whatever_bit_turns_in_a_header_is_damage_of_that_file(world: Jobs) -> None:
    path = world.output_dir / "dinov2" / "entries-TEST.npy"
    content = path.read_bytes()
    assert not problems_with(world, path, content)
    for bit in range(0, 8 * content.index(b"\n"), 3):
        for problem in problems_with(world, path, turned(content, bit)):
            assert str(path) in problem


def test_links_lead_into_the_class_folders_wherever_the_tree_is_moved(world: Jobs) -> None:
    folder = world.output_dir / "dinov2"
    assert {name: os.readlink(folder / name) for name in ("train", "val", "test")} == {
        name: f"../imagefolder/{name}" for name in ("train", "val", "test")
    }


def test_the_lines_of_the_labels_have_two_columns_whatever_stands_in_the_words(world: Jobs) -> None:
    inputs = world.given("dinov2_description")
    words = [f'a "b", {wnid}' for wnid in inputs.synsets["wnid"].to_pylist()]
    column = inputs.synsets.column_names.index("words")
    inputs.synsets = inputs.synsets.set_column(column, "words", [words])
    SPLIT_PRODUCTS["dinov2"].describe(inputs)
    with open(world.output_dir / "dinov2" / "labels.txt", newline="") as file:
        assert list(csv.reader(file)) == [[wnid, f'a "b", {wnid}'] for wnid in (CRANE, FOX, MACHINE)]


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"classes": ["n02119789"]}, "classes"), ({"imagefolder": {"val_dirs": "index"}}, "imagefolder.val_dirs")],
)
def test_what_dinov2_cannot_read_is_refused(changes: dict[str, object], key: str, tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=f"configuration key {key}: ") as caught:
        complete(overlaid({"products": ["dinov2"], **changes}), tmp_path)
    assert builders.is_one_line(caught.value)
    complete(overlaid({"products": ["imagefolder"], **changes}), tmp_path)
