"""The synthetic boxes, multi-label and ReaL annotations, judged by ElementTree and json."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from imagenet_prep.synthetic import Settings, World, plan, synthesize
from synthetic.truth import Truth, truth_of

SETTINGS = Settings(
    seed=11,
    classes=20,
    train_images_per_class=24,
    val_images_per_class=5,
    test_images=1,
    train_t3_classes=1,
    train_t3_images_per_class=1,
    max_side=200,
)
NAMES = ("bbox_train", "bbox_val", "multilabel", "real_labels")


@dataclass
class Parsed:
    """One XML file; boxes are (name, xmin, ymin, xmax, ymax)."""

    folder: str
    filename: str
    width: int
    height: int
    boxes: list[tuple[str, int, int, int, int]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archives."""
    path = tmp_path_factory.mktemp("synthetic")
    synthesize({name: path / name for name in NAMES}, SETTINGS)
    return path


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return truth_of(world)


@pytest.fixture(scope="module")
def world() -> World:
    return plan(SETTINGS)


def parse(data: bytes) -> Parsed:
    root = ElementTree.fromstring(data)
    corners = ("xmin", "ymin", "xmax", "ymax")
    return Parsed(
        root.findtext("folder"),
        root.findtext("filename"),
        int(root.findtext("size/width")),
        int(root.findtext("size/height")),
        [
            (each.findtext("name"), *(int(each.findtext(f"bndbox/{corner}")) for corner in corners))
            for each in root.iter("object")
        ],
    )


def archive(path: Path) -> dict[str, Parsed]:
    with tarfile.open(path, "r:gz") as tar:
        return {member.name: parse(tar.extractfile(member).read()) for member in tar if member.isfile()}


def clipped(xml: Parsed, box: tuple[str, int, int, int, int]) -> tuple[float, float, float, float]:
    _, x1, y1, x2, y2 = box
    xs = sorted(min(max(x / xml.width, 0.0), 1.0) for x in (x1, x2))
    ys = sorted(min(max(y / xml.height, 0.0), 1.0) for y in (y1, y2))
    return xs[0], ys[0], xs[1], ys[1]


def is_usable(xml: Parsed, box: tuple[str, int, int, int, int], wnid: str, wnids: set[str]) -> bool:
    """What TensorFlow's script keeps: some area within the image, and no other class's name."""
    xmin, ymin, xmax, ymax = clipped(xml, box)
    return xmin < xmax and ymin < ymax and (box[0] == wnid or box[0] not in wnids)


def test_train_xml_lies_in_class_folders_for_about_43_percent_of_the_images(folder, truth, world):
    files = archive(folder / "bbox_train")
    names = {f"{image.label.wnid}/{image.filename.removesuffix('.JPEG')}.xml" for image in world.images("train")}
    assert set(files) <= names
    assert len(files) == round(0.43 * len(names)) == truth.boxes["train"].files


def test_validation_xml_is_there_for_every_image(folder, truth):
    files = archive(folder / "bbox_val")
    assert list(files) == [f"val/ILSVRC2012_val_{number:08d}.xml" for number in range(1, 101)]
    assert all(xml.folder == "val" for xml in files.values())


def test_usable_boxes_are_as_many_as_the_truth_says(folder, truth, world):
    wnids = {label.wnid for label in world.classes}
    files = archive(folder / "bbox_train")
    kept = {path: [is_usable(xml, box, path[:9], wnids) for box in xml.boxes] for path, xml in files.items()}
    assert sum(map(len, kept.values())) == truth.boxes["train"].boxes
    assert sum(map(sum, kept.values())) == truth.boxes["train"].usable
    assert sum(map(any, kept.values())) == truth.boxes["train"].images_with_usable


def test_each_trouble_of_boxes_is_as_frequent_as_the_truth_says(folder, truth, world):
    wnids = {label.wnid for label in world.classes}
    sizes = {image.filename: (image.width, image.height) for image in world.images("train")}
    boxes, files = Counter(), Counter()
    for path, xml in archive(folder / "bbox_train").items():
        wnid, name = path.removesuffix(".xml").split("/")
        files["percent_name"] += xml.filename == "%s"
        files["other_size"] += (xml.width, xml.height) != sizes[f"{name}.JPEG"]
        files["no_objects"] += not xml.boxes
        for label, x1, y1, x2, y2 in xml.boxes:
            outside = min(x1, x2) >= xml.width or max(y1, y2) <= 0
            boxes["outside"] += outside
            boxes["partly_outside"] += not outside and max(x1, x2) >= xml.width
            boxes["reversed"] += x1 > x2 or y1 > y2
            boxes["empty"] += x1 == x2 or y1 == y2
            boxes["other_class"] += label != wnid and label in wnids
            boxes["breed"] += label not in wnids
    assert boxes == truth.boxes["train"].troubled
    for trouble, count in files.items():
        assert truth.boxes["train"].troubled_files[trouble] == count
    assert min(*boxes.values(), *files.values()) >= 2


def test_dog_boxes_have_breed_names(folder, truth):
    names = {(path[:9], box[0]) for path, xml in archive(folder / "bbox_train").items() for box in xml.boxes}
    breeds = {pair for pair in names if not pair[1].startswith("n0")}
    assert breeds
    assert breeds <= {
        ("n02085620", "Chihuahua"),
        ("n02089078", "black-and-tan_coonhound"),
        ("n02092002", "Scottish_deerhound"),
        ("n02105855", "Shetland_sheepdog"),
    }


@pytest.mark.parametrize(("split", "name"), [("train", "bbox_train"), ("validation", "bbox_val")])
def test_usable_boxes_are_the_drawn_objects_once_clipped_and_scaled(folder, truth, world, split, name):
    wnids = {label.wnid for label in world.classes}
    images = {image.filename.removesuffix(".JPEG"): image for image in world.images(split)}
    for path, xml in archive(folder / name).items():
        image = images[path.rpartition("/")[2].removesuffix(".xml")]
        drawn = {
            (box.xmin / image.width, box.ymin / image.height, box.xmax / image.width, box.ymax / image.height)
            for box in image.objects
        }
        for box in xml.boxes:
            if is_usable(xml, box, image.label.wnid, wnids):
                nearest = min(max(abs(a - b) for a, b in zip(clipped(xml, box), each, strict=True)) for each in drawn)
                assert (
                    nearest <= 1 / image.width + 1e-9
                )  # a clipped edge is 1.0, the last pixel's is (width - 1) / width


def test_validation_boxes_are_clean_but_for_one_that_is_there_twice(folder, truth, world):
    boxes = 0
    twice = 0
    for xml, image in zip(archive(folder / "bbox_val").values(), world.images("validation"), strict=True):
        assert (xml.width, xml.height) == (image.width, image.height)
        assert xml.filename == image.filename.removesuffix(".JPEG")
        for name, xmin, ymin, xmax, ymax in xml.boxes:
            assert name == image.label.wnid
            assert 0 <= xmin < xmax < xml.width
            assert 0 <= ymin < ymax < xml.height
        boxes += len(xml.boxes)
        twice += len(xml.boxes) - len(set(xml.boxes))
    assert boxes == truth.boxes["validation"].boxes == truth.boxes["validation"].usable
    assert twice == 1


def test_an_xml_file_has_the_elements_of_the_published_ones(folder, truth):
    with tarfile.open(folder / "bbox_val", "r:gz") as tar:
        root = ElementTree.fromstring(tar.extractfile("val/ILSVRC2012_val_00000001.xml").read())
    assert [child.tag for child in root][:5] == ["folder", "filename", "source", "size", "segmented"]
    assert root.findtext("source/database") == "ILSVRC_2012"
    assert root.findtext("size/depth") == "3"
    assert [child.tag for child in root.find("object")] == ["name", "pose", "truncated", "difficult", "bndbox"]


def test_multilabel_judges_two_fifths_of_the_validation_images(folder, truth, world):
    known = truth.multilabel
    value = json.loads((folder / "multilabel").read_text())
    originals = {image.filename: image.label.wnid for image in world.images("validation")}
    judged = {name: lists for name, lists in value["initial_annots"].items() if name in originals}
    problematic = set(value["problematic_images"]) & set(originals)
    assert len(judged) == known.images == 40
    assert len(value["initial_annots"]) - len(judged) == known.foreign_names > 0
    assert len(problematic) == known.problematic > 0
    assert len(value["problematic_images"]) > len(problematic)
    assert sum(not lists.get("correct") for lists in judged.values()) == known.without_correct > 0
    assert sum(bool(lists.get("unclear")) for lists in judged.values()) == known.with_unclear > 0
    assert sum(bool(lists.get("wrong")) for lists in judged.values()) == known.with_wrong > 0
    right = sum(originals[name] in lists.get("correct", []) for name, lists in judged.items())
    assert right == known.original_correct < known.images
    assert len(value["imagenet_m"]) == known.imagenet_m > 0
    assert set(value["imagenet_m"]) <= set(judged) - problematic


def test_multilabel_has_missing_keys_and_other_keys_around_the_wanted_ones(folder, truth):
    value = json.loads((folder / "multilabel").read_text())
    assert any("correct" not in lists for lists in value["initial_annots"].values())
    assert any(lists.get("unclear") == [] for lists in value["initial_annots"].values())
    assert set(value) > {"initial_annots", "problematic_images", "imagenet_m"}


def test_a_class_is_in_one_multilabel_list_of_an_image_at_most(folder, truth, world):
    wnids = {label.wnid for label in world.classes}
    for lists in json.loads((folder / "multilabel").read_text())["initial_annots"].values():
        named = [wnid for names in lists.values() for wnid in names]
        assert len(named) == len(set(named))
        assert set(named) <= wnids


def test_real_labels_are_lists_of_indices_in_image_order_some_empty(folder, truth, world):
    rows = json.loads((folder / "real_labels").read_text())
    assert len(rows) == 100
    assert sum(not row for row in rows) == truth.real_empty == 6
    assert {index for row in rows for index in row} <= set(range(20))
    first = [row[0] == label.index for row, label in zip(rows, world.validation_labels, strict=True) if row]
    assert 0.8 < sum(first) / len(first) < 1
    assert any(len(row) > 1 for row in rows)
