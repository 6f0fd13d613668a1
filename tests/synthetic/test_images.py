"""The synthetic image archives, judged by tarfile, Pillow and NumPy."""

from __future__ import annotations

import io
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagenet_prep.synthetic import Settings, World, plan, synthesize
from imagenet_prep.synthetic.drawing import background_color, encode, object_color
from imagenet_prep.synthetic.model import Kind
from synthetic.truth import Truth, truth_of

SETTINGS = Settings(
    seed=7,
    classes=20,
    train_images_per_class=12,
    val_images_per_class=2,
    test_images=9,
    train_t3_classes=4,
    train_t3_images_per_class=5,
    max_side=200,
)
TOLERANCE = 24  # of 255: JPEG blurs the colours of small objects; inks and grounds differ by 100 and more


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archives."""
    path = tmp_path_factory.mktemp("synthetic")
    synthesize({name: path / name for name in ("train", "train_t3", "val", "test")}, SETTINGS)
    return path


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return truth_of(world)


@pytest.fixture(scope="module")
def world() -> World:
    return plan(SETTINGS)


def class_tars(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    with tarfile.open(path, "r:") as outer:
        for member in outer:
            with tarfile.open(fileobj=outer.extractfile(member), mode="r:") as inner:
                yield member.name, {each.name: inner.extractfile(each).read() for each in inner}


def flat_tar(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def contents(folder: Path, split: str) -> dict[str, bytes]:
    if split in ("train", "train_t3"):
        return {name: data for _, members in class_tars(folder / split) for name, data in members.items()}
    files = flat_tar(folder / {"validation": "val"}.get(split, split))
    return {name.rpartition("/")[2]: data for name, data in files.items()}


def kind_of(data: bytes) -> str:
    picture = Image.open(io.BytesIO(data))
    if picture.format == "PNG":
        return "png_rgba" if picture.mode == "RGBA" else "png"
    if picture.mode == "CMYK":
        return "cmyk_inverted" if "adobe" in picture.info else "cmyk"
    if picture.mode == "L":
        return "grayscale"
    if picture.getexif().get(0x0112, 1) != 1:
        return "exif"
    return "progressive" if "progressive" in picture.info else "rgb"


def rgb(data: bytes) -> np.ndarray:
    """Decode by the rule that CMYK samples are inverted exactly where there is an Adobe segment."""
    picture = Image.open(io.BytesIO(data))
    if picture.mode != "CMYK":
        return np.asarray(picture.convert("RGB")).astype(int)
    samples = np.asarray(picture).astype(int)  # Pillow has inverted them, whatever the file says
    if "adobe" not in picture.info:
        samples = 255 - samples
    return (255 - samples[..., :3]) * (255 - samples[..., 3:]) // 255


SPLITS = ("train", "validation", "test", "train_t3")


@pytest.mark.parametrize("split", ["train", "train_t3"])
def test_a_nested_archive_has_a_sorted_tar_a_class_with_numbered_images(folder, truth, split):
    found = {}
    for name, members in class_tars(folder / split):
        wnid = name.removesuffix(".tar")
        assert all(re.fullmatch(rf"{wnid}_[1-9][0-9]*\.JPEG", member) for member in members)
        found[wnid] = len(members)
    assert list(found) == sorted(found)
    assert found == truth.class_images[split]


def test_train_classes_differ_in_size_by_at_most_a_quarter_of_the_average(truth):
    counts = set(truth.class_images["train"].values())
    assert len(counts) > 3
    assert min(counts) >= 9
    assert max(counts) <= 15


def test_numbers_in_train_names_have_gaps(folder, truth):
    _, members = next(class_tars(folder / "train"))
    numbers = sorted(int(re.search(r"_(\d+)\.", name)[1]) for name in members)
    assert numbers[-1] - numbers[0] >= len(numbers)


def test_train_t3_holds_dogs(truth):
    assert set(truth.class_images["train_t3"]) == {"n02085620", "n02089078", "n02092002", "n02105855"}


def test_validation_images_lie_flat_and_are_numbered_from_1(folder, truth):
    assert list(flat_tar(folder / "val")) == [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 41)]


def test_test_images_lie_in_a_folder_that_is_a_member_too(folder, truth):
    with tarfile.open(folder / "test", "r:") as tar:
        first, *files = tar.getmembers()
    assert first.isdir()
    assert first.name == "test"
    assert [file.name for file in files] == [f"test/ILSVRC2012_test_{number:08d}.JPEG" for number in range(1, 10)]


@pytest.mark.parametrize("split", SPLITS)
def test_kinds_of_files_are_as_many_as_the_truth_says(folder, truth, split):
    files = contents(folder, split)
    assert len(files) == truth.images[split]
    assert Counter(map(kind_of, files.values())) == truth.kinds[split]


def test_every_odd_kind_is_in_train_and_cmyk_in_validation(truth):
    assert set(truth.kinds["train"]) == {
        "rgb", "grayscale", "cmyk", "cmyk_inverted", "png", "png_rgba", "exif", "progressive",
    }  # fmt: skip
    assert truth.kinds["validation"]["cmyk_inverted"] == 1


def test_several_exif_orientations_occur(folder, truth):
    pictures = (Image.open(io.BytesIO(data)) for data in contents(folder, "train").values())
    assert {picture.getexif().get(0x0112, 1) for picture in pictures} >= {1, 2, 3, 6, 8}


def test_images_are_of_many_sizes_both_ways_up_and_no_larger_than_wanted(folder, truth):
    sizes = {Image.open(io.BytesIO(data)).size for data in contents(folder, "train").values()}
    assert len(sizes) > 50
    assert max(max(size) for size in sizes) <= 200
    assert any(width > height for width, height in sizes)
    assert any(width < height for width, height in sizes)


@pytest.mark.parametrize("split", SPLITS)
def test_each_image_decodes_to_its_planned_size_with_the_objects_where_they_were_planned(folder, truth, world, split):
    files = contents(folder, split)
    for image in world.images(split):
        pixels = rgb(files[image.filename])
        assert pixels.shape == (image.height, image.width, 3)
        ink, ground = np.array(object_color(image.label.index)), np.array(background_color(image.label.index))
        if image.kind == "grayscale":
            ink, ground = ink @ (0.299, 0.587, 0.114), ground @ (0.299, 0.587, 0.114)
        for box in image.objects:
            middle = pixels[(box.ymin + box.ymax) // 2, (box.xmin + box.xmax) // 2]
            assert np.abs(middle - ink).max() <= TOLERANCE, (image, middle, ink)
        above = pixels[: min(box.ymin for box in image.objects)].reshape(-1, 3)
        assert np.abs(np.median(above, axis=0) - ground).max() <= TOLERANCE, image


@pytest.mark.parametrize("index", range(9))
def test_a_shape_fills_its_box_exactly(index):
    world = plan(SETTINGS)
    image = next(world.class_images("train", world.classes[index].wnid))
    pixels = rgb(encode(replace(image, kind=Kind.PNG, objects=image.objects[:1])))
    rows, columns = np.nonzero((pixels == object_color(index)).all(axis=-1))
    box = image.objects[0]
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (box.xmin, box.ymin, box.xmax, box.ymax)


def test_the_text_is_darker_than_the_background_and_above_the_objects(folder, truth, world):
    files = contents(folder, "validation")
    for image in world.images("validation"):
        caption = rgb(files[image.filename])[: min(box.ymin for box in image.objects)]
        assert caption.max(axis=-1).min() < 80


def test_the_two_cmyk_kinds_differ_in_the_adobe_segment_alone(world):
    image = next(world.images("train"))
    plain, inverted = (encode(replace(image, kind=kind)) for kind in (Kind.CMYK, Kind.CMYK_INVERTED))
    assert b"Adobe" in inverted
    assert b"Adobe" not in plain
    assert np.abs(rgb(plain) - rgb(inverted)).mean() < 2
    assert (
        np.abs(np.asarray(Image.open(io.BytesIO(plain))) - 255.0 + np.asarray(Image.open(io.BytesIO(inverted)))).mean()
        < 2
    )
