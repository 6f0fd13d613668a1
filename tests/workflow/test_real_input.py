"""The whole workflow on the real devkit, real images, boxes and labels, against what is known of ILSVRC2012.

It is longer than 300 lines, since all its tests look at one run, which takes a minute and is made once for a file.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.products.labels import write_labels
from project import Project
from real_archives import CMYK_IMAGE, CONFIG, IMAGES, JSON_COLUMNS, RealData, build, indices
from real_run import Record, contents, files_of_images, name_of, read_records, rows_of, table

KIT_FOX, BIRD_CRANE, MACHINE_CRANE = "n02119789", "n02012849", "n03126707"
SUBSET = [BIRD_CRANE, KIT_FOX, MACHINE_CRANE]  # sorted
EDGES = ("xmin", "ymin", "xmax", "ymax")


@pytest.fixture(scope="module")
def data(shared_data: Path) -> RealData:
    return RealData(shared_data)


@pytest.fixture(scope="module")
def real(data: RealData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A finished run on real input; look at it only."""
    project = Project(tmp_path_factory.mktemp("real"), {})
    project.write_config(CONFIG)
    build(data, project.archives)
    project.succeed()
    yield project
    # Pytest would keep its 50000 files for the next three runs, and Python takes long to remove them.
    subprocess.run(["rm", "-rf", project.folder], check=True)


@pytest.fixture(scope="module")
def archived(real: Project) -> dict[str, bytes]:
    """The content of the validation archive by file name."""
    return contents(real.archives / "ILSVRC2012_img_val.tar")


@pytest.fixture(scope="module")
def classes(real: Project) -> list[dict[str, str]]:
    return rows_of(real.results / "labels" / "classes.csv")


@pytest.fixture(scope="module")
def val_labels(real: Project) -> list[dict[str, str]]:
    return rows_of(real.results / "labels" / "val_labels.csv")


@pytest.fixture(scope="module")
def images(real: Project) -> dict[str, dict[str, Any]]:
    return {row["filename"]: row for row in table(real.results / "tables" / "images.parquet")}


@pytest.fixture(scope="module")
def records(real: Project) -> dict[str, Record]:
    return read_records(real)


@pytest.mark.parametrize(("name", "algorithm"), [("devkit", "md5"), ("real_labels", "sha256")])
def test_an_official_archive_has_its_published_checksum(real: Project, name: str, algorithm: str) -> None:
    receipt = json.loads((real.results / "verified" / f"{name}.json").read_text())
    assert receipt["expected"] is not None
    assert receipt[algorithm] == receipt["expected"]


def test_the_devkit_has_1860_synsets_with_the_classes_first(real: Project) -> None:
    synsets = table(real.results / "labels" / "synsets.parquet")
    assert [row["ilsvrc2012_id"] for row in synsets] == list(range(1, 1861))
    assert [row["ilsvrc2012_id"] for row in synsets if row["num_children"] == 0] == list(range(1, 1001))


def test_the_hierarchy_holds_every_synset_and_has_the_classes_for_leaves(real: Project) -> None:
    leaves, inner = set(), set()
    nodes = [json.loads((real.results / "labels" / "hierarchy.json").read_text())]
    while nodes:
        node = nodes.pop()
        (inner if node["children"] else leaves).add((node["wnid"], node["class_index"]))
        nodes += node["children"]
    assert {index for _, index in leaves} == set(range(1000))
    assert {index for _, index in inner} == {None}
    assert len({wnid for wnid, _ in leaves | inner}) == 1860


def test_the_1000_classes_are_numbered_by_their_sorted_wnids(classes: list[dict[str, str]], data: RealData) -> None:
    assert [row["wnid"] for row in classes] == data.sorted_wnids
    assert [int(row["class_index"]) for row in classes] == list(range(1000))
    assert [int(row["tf_label"]) for row in classes] == list(range(1, 1001))


def test_the_kit_fox_has_devkit_id_1_and_index_278(real: Project, classes: list[dict[str, str]]) -> None:
    fox = classes[278]
    assert (fox["wnid"], fox["ilsvrc2012_id"], fox["tf_label"]) == (KIT_FOX, "1", "279")
    assert fox["words"] == "kit fox, Vulpes macrotis"
    lines = (real.results / "labels" / "wnid_to_index.txt").read_text().splitlines()
    assert lines[278] == f"{KIT_FOX} 278 kit fox, Vulpes macrotis"


def test_both_cranes_keep_their_name_and_their_own_index(classes: list[dict[str, str]]) -> None:
    cranes = {int(row["class_index"]): row["wnid"] for row in classes if row["words"] == "crane"}
    assert cranes == {134: BIRD_CRANE, 517: MACHINE_CRANE}


def test_both_maillots_keep_their_own_index(classes: list[dict[str, str]]) -> None:
    assert [int(row["class_index"]) for row in classes if row["words"].startswith("maillot")] == [638, 639]


def test_the_training_counts_are_those_of_the_published_set(classes: list[dict[str, str]]) -> None:
    counts = {row["wnid"]: int(row["num_train_images"]) for row in classes}
    assert sum(counts.values()) == 1_281_167
    assert min(counts, key=lambda wnid: counts[wnid]) == "n02089078"
    assert counts["n02089078"] == 732
    assert list(counts.values()).count(max(counts.values())) == 895
    assert max(counts.values()) == 1300


def test_the_first_three_validation_labels_are_the_known_ones(
    real: Project, classes: list[dict[str, str]], val_labels: list[dict[str, str]]
) -> None:
    first = val_labels[:3]
    assert [row["filename"] for row in first] == [name_of(number) for number in (1, 2, 3)]
    assert [row["ilsvrc2012_id"] for row in first] == ["490", "361", "171"]
    assert [row["class_index"] for row in first] == ["65", "970", "230"]
    labels = real.results / "labels"
    assert (labels / "val_index.txt").read_text().splitlines()[:3] == ["65", "970", "230"]
    wnids = (labels / "validation_synset_labels.txt").read_text().splitlines()
    assert wnids[:3] == [row["wnid"] for row in first] == [classes[index]["wnid"] for index in (65, 970, 230)]


def test_the_files_of_validation_labels_agree_on_all(real: Project, val_labels: list[dict[str, str]]) -> None:
    labels = real.results / "labels"
    assert [row["filename"] for row in val_labels] == [name_of(number) for number in range(1, IMAGES + 1)]
    assert [row["class_index"] for row in val_labels] == (labels / "val_index.txt").read_text().splitlines()
    wnids = (labels / "validation_synset_labels.txt").read_text().splitlines()
    assert [row["wnid"] for row in val_labels] == wnids


def test_the_labels_are_those_of_the_published_boxes(data: RealData, val_labels: list[dict[str, str]]) -> None:
    label = {row["filename"]: row["wnid"] for row in val_labels}
    assert {name: {box.wnid for box in boxes} for name, boxes in data.boxes.items()} == {
        name: {label[name]} for name in data.boxes
    }


def test_most_labels_are_right_by_the_reassessed_ones(data: RealData, images: dict[str, dict[str, Any]]) -> None:
    judged = [
        images[name_of(number)]["class_index"] in right
        for number, right in enumerate(data.reassessed, start=1)
        if right
    ]
    assert len(judged) == IMAGES - 3163
    assert sum(judged) / len(judged) > 0.8, "a permuted numbering would come to 0.1 %"


def test_every_class_has_50_validation_images_in_its_folder(real: Project, classes: list[dict[str, str]]) -> None:
    counts = Counter(path.parent.name for path in files_of_images(real))
    assert counts == {row["wnid"]: 50 for row in classes}


def test_the_rank_of_an_image_files_folder_is_its_label(real: Project, val_labels: list[dict[str, str]]) -> None:
    folders = sorted(path.name for path in (real.results / "imagefolder" / "val").iterdir())
    rank = {folder: str(position) for position, folder in enumerate(folders)}
    found = {path.name: rank[path.parent.name] for path in files_of_images(real)}
    assert [found[row["filename"]] for row in val_labels] == [row["class_index"] for row in val_labels]


def test_image_files_have_the_bytes_of_the_archive(real: Project, data: RealData, archived: dict[str, bytes]) -> None:
    files = {path.name: path for path in files_of_images(real)}
    assert files.keys() == archived.keys()
    assert [name for name, path in files.items() if path.read_bytes() != archived[name]] == []
    assert [name for name, content in data.images.items() if files[name].read_bytes() != content] == []


def test_records_hold_archived_bytes(data: RealData, records: dict[str, Record], archived: dict[str, bytes]) -> None:
    assert records.keys() == archived.keys()
    changed = [name for name, record in records.items() if record["image/encoded"] != [archived[name]]]
    assert changed == [name_of(CMYK_IMAGE)]
    assert [name for name, content in data.images.items() if records[name]["image/encoded"] != [content]] == []


def test_the_cmyk_image_is_in_its_record_as_rgb(records: dict[str, Record]) -> None:
    (encoded,) = records[name_of(CMYK_IMAGE)]["image/encoded"]
    with Image.open(io.BytesIO(encoded)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (614, 461))


def test_the_records_say_what_the_label_files_say(
    records: dict[str, Record], classes: list[dict[str, str]], val_labels: list[dict[str, str]]
) -> None:
    said = [
        (*records[row["filename"]]["image/class/label"], *records[row["filename"]]["image/class/synset"])
        for row in val_labels
    ]
    assert said == [(int(row["class_index"]) + 1, row["wnid"].encode()) for row in val_labels]
    texts = {(*record["image/class/label"], *record["image/class/text"]) for record in records.values()}
    assert texts == {(int(row["tf_label"]), row["words"].encode()) for row in classes}


def test_the_records_have_the_sizes_that_pillow_reads(data: RealData, records: dict[str, Record]) -> None:
    for name in data.images:
        assert (*records[name]["image/width"], *records[name]["image/height"]) == data.size(name)


def test_images_are_described_as_pillow_does(archived: dict[str, bytes], images: dict[str, dict[str, Any]]) -> None:
    colorspaces = {"RGB": ("RGB", 3), "L": ("Grayscale", 1), "CMYK": ("CMYK", 4)}
    for name, row in images.items():
        with Image.open(io.BytesIO(archived[name])) as image:
            assert (row["width"], row["height"], row["format"]) == (*image.size, image.format), name
            assert (row["colorspace"], row["channels"]) == colorspaces[image.mode], name


def test_an_images_byte_range_is_the_file_that_gnu_tar_extracts(
    real: Project, data: RealData, images: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    archive = real.archives / "ILSVRC2012_img_val.tar"
    names = [*data.images, name_of(CMYK_IMAGE), name_of(IMAGES)]
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", tmp_path, *names], check=True)
    content = archive.read_bytes()
    for name in names:
        row = images[name]
        assert content[row["offset"] : row["offset"] + row["length"]] == (tmp_path / name).read_bytes(), name


def test_the_table_of_boxes_is_what_was_published(real: Project, data: RealData) -> None:
    boxes = table(real.results / "tables" / "bboxes.parquet")
    found = [(row["filename"], row["wnid"], *(row[f"{edge}_px"] for edge in EDGES)) for row in boxes]
    assert found == [(name, *box) for name, published in data.boxes.items() for box in published]
    assert {(row["usable"], row["problem"]) for row in boxes} == {(True, None)}


def test_boxes_in_records_are_pixels_over_the_size(data: RealData, records: dict[str, Record]) -> None:
    for name in data.images:
        record, boxes, (width, height) = records[name], data.boxes[name], data.size(name)
        for edge, side in zip(EDGES, (width, height, width, height), strict=True):
            expected = np.array([getattr(box, edge) / side for box in boxes], np.float32)
            assert record[f"image/object/bbox/{edge}"] == expected.tolist(), name
        assert record["image/object/bbox/label"] == record["image/class/label"] * len(boxes)


def test_an_image_without_boxes_has_empty_lists_of_them(data: RealData, records: dict[str, Record]) -> None:
    features = ("label", *EDGES)
    without = [record for name, record in records.items() if name not in data.boxes]
    assert len(without) == IMAGES - 1000
    assert all(record[f"image/object/bbox/{feature}"] == [] for record in without for feature in features)


def test_the_multilabel_table_is_what_was_published(real: Project, data: RealData) -> None:
    assert table(real.results / "tables" / "multilabel.parquet") == [
        {
            "file_name": row["id"],
            "original_label": int(row["original_label"]),
            **{f"{kind}_multi_labels": indices(row[column]) for kind, column in JSON_COLUMNS.items()},
            "is_problematic": row["is_problematic"] == "True",
            "imagenet_m": False,
        }
        for row in data.multilabel
    ]


def test_the_audit_of_real_input_is_ok(real: Project) -> None:
    audit = json.loads((real.results / "audit.json").read_text())
    assert audit["ok"] is True
    figures = {check["name"]: check["figures"] for check in audit["checks"]}
    assert figures["imagefolder val"]["images"] == IMAGES
    assert figures["tfrecord validation"]["records"] == IMAGES


def test_a_second_run_on_real_input_has_nothing_to_do(real: Project) -> None:
    run = real.run()
    assert run.nothing_done, run.terminal


def test_the_label_files_of_a_subset_hold_its_classes_alone(real: Project, tmp_path: Path) -> None:
    devkit = read_devkit(real.archives / "ILSVRC2012_devkit_t12.tar.gz")
    classes = select_classes(devkit.synsets, SUBSET, "renumbered")
    write_labels(devkit.synsets, devkit.ground_truth, classes, tmp_path)
    rows = rows_of(tmp_path / "classes.csv")
    assert [(row["wnid"], row["class_index"], row["ilsvrc2012_id"]) for row in rows] == [
        (BIRD_CRANE, "0", "429"),
        (KIT_FOX, "1", "1"),
        (MACHINE_CRANE, "2", "545"),
    ]
    wnids = (tmp_path / "validation_synset_labels.txt").read_text().splitlines()
    assert Counter(wnids) == dict.fromkeys(SUBSET, 50)
