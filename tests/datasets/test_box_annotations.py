"""Bounding boxes: the rules by which boxes of the XML become rows, and the tables of them."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagenet_prep.datasets import box_annotations
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.datasets.devkit import read_devkit
from imagenet_prep.errors import PrepError

FOX, CRANE, BIRD = "n02119789", "n02012849", "n99999999"
CLASSES = {FOX, CRANE}

Box = tuple[Any, ...]


def xml(*things: Box, filename: str = "", size: tuple[int, int] = (100, 200)) -> bytes:
    """An annotation; each thing is name, xmin, ymin, xmax, ymax."""
    objects = "".join(
        f"<object><name>{name}</name><pose>Frontal</pose><truncated>0</truncated><difficult>1</difficult><bndbox>"
        f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox></object>"
        for name, xmin, ymin, xmax, ymax in things
    )
    head = f"<filename>{filename}</filename>" if filename else ""
    return (
        f"<annotation>{head}<size><width>{size[0]}</width><height>{size[1]}</height></size>{objects}</annotation>"
    ).encode()


def archive(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def train(folder: Path, members: dict[str, bytes]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    output = folder / "train.parquet"
    counts = box_annotations.write_boxes(
        archive(folder / "train.tar.gz", members.items()), "train", None, CLASSES, output
    )
    return rows(output), counts


def rows(path: Path) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    return table


def one_box(folder: Path, name: Any = FOX, *edges: float, filename: str = "") -> dict[str, Any]:
    content = xml((name, *(edges or (10, 20, 50, 100))), filename=filename)
    (row,), _ = train(folder, {f"{FOX}/{FOX}_1.xml": content})
    return row


def test_a_box_becomes_a_row_with_every_column(tmp_path: Path) -> None:
    assert one_box(tmp_path, FOX, 10, 20, 50, 100, filename=f"{FOX}_1") == {
        "split": "train",
        "filename": f"{FOX}_1.JPEG",
        "image_wnid": FOX,
        "wnid": FOX,
        "name": FOX,
        "xmin": 0.1,
        "ymin": 0.1,
        "xmax": 0.5,
        "ymax": 0.5,
        "xmin_px": 10.0,
        "ymin_px": 20.0,
        "xmax_px": 50.0,
        "ymax_px": 100.0,
        "width": 100,
        "height": 200,
        "pose": "Frontal",
        "truncated": 0,
        "difficult": 1,
        "source": f"{FOX}/{FOX}_1.xml",
        "usable": True,
        "problem": None,
    }
    assert pq.ParquetFile(tmp_path / "train.parquet").schema_arrow == box_annotations.BOXES


@pytest.mark.parametrize(
    ("edges", "relative", "usable", "problem"),
    [
        ((0, 0, 100, 200), (0.0, 0.0, 1.0, 1.0), True, None),
        ((50, 20, 10, 100), (0.1, 0.1, 0.5, 0.5), True, "reversed"),
        ((10, 100, 50, 20), (0.1, 0.1, 0.5, 0.5), True, "reversed"),
        ((-10, 20, 50, 300), (0.0, 0.1, 0.5, 1.0), True, "clipped"),
        ((150, 20, 50, 100), (0.5, 0.1, 1.0, 0.5), True, "reversed; clipped"),
        ((120, 20, 150, 100), (1.0, 0.1, 1.0, 0.5), False, "outside"),
        ((-9, 20, 0, 100), (0.0, 0.1, 0.0, 0.5), False, "outside"),
        ((10, 20, 10, 100), (0.1, 0.1, 0.1, 0.5), False, "empty"),
        ((-5, 40, -5, 40), (0.0, 0.2, 0.0, 0.2), False, "empty"),
    ],
)
def test_corners_are_ordered_and_clipped_and_boxes_without_area_are_of_no_use(
    tmp_path: Path, edges: tuple[int, ...], relative: tuple[float, ...], usable: bool, problem: str | None
) -> None:
    row = one_box(tmp_path, FOX, *edges)
    assert tuple(row[edge] for edge in ("xmin", "ymin", "xmax", "ymax")) == relative
    assert tuple(row[f"{edge}_px"] for edge in ("xmin", "ymin", "xmax", "ymax")) == edges
    assert (row["usable"], row["problem"]) == (usable, problem)


@given(st.tuples(*[st.integers(-300, 300)] * 4))
def test_usable_boxes_lie_inside_the_image(tmp_path_factory: pytest.TempPathFactory, edges: tuple[int, ...]) -> None:
    row = one_box(tmp_path_factory.mktemp("box"), FOX, *edges)
    ordered = 0 <= row["xmin"] <= row["xmax"] <= 1 and 0 <= row["ymin"] <= row["ymax"] <= 1
    assert ordered
    assert row["usable"] == (row["xmin"] < row["xmax"] and row["ymin"] < row["ymax"])


def test_a_box_of_another_class_is_of_no_use(tmp_path: Path) -> None:
    row = one_box(tmp_path, CRANE)
    assert (row["image_wnid"], row["wnid"], row["usable"]) == (FOX, CRANE, False)
    assert row["problem"] == box_annotations.OTHER_CLASS


@pytest.mark.parametrize("name", ["Scottish_deerhound", BIRD])
def test_a_name_that_is_no_class_counts_as_the_class_of_the_image(tmp_path: Path, name: str) -> None:
    row = one_box(tmp_path, name)
    assert (row["name"], row["wnid"], row["usable"], row["problem"]) == (name, FOX, True, box_annotations.NO_CLASS)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("%s", box_annotations.PLACEHOLDER),
        ("n02119789_%s.JPEG", box_annotations.PLACEHOLDER),
        ("n02119789_2", box_annotations.OTHER_FILENAME),
        ("n02119789_1.JPEG", None),
    ],
)
def test_the_name_of_the_xml_tells_the_image(tmp_path: Path, written: str, problem: str | None) -> None:
    row = one_box(tmp_path, filename=written)
    assert (row["filename"], row["usable"], row["problem"]) == (f"{FOX}_1.JPEG", True, problem)


def test_a_train_image_of_no_class_keeps_its_rows_unused(tmp_path: Path) -> None:
    (row,), _ = train(tmp_path, {f"{BIRD}/{BIRD}_1.xml": xml((BIRD, 1, 2, 3, 4))})
    assert (row["image_wnid"], row["usable"], row["problem"]) == (BIRD, False, box_annotations.IMAGE_OF_NO_CLASS)


def test_rows_are_by_image_and_then_as_in_the_xml_whatever_the_order_of_the_archive(tmp_path: Path) -> None:
    first, second = xml((FOX, 9, 9, 20, 20), (FOX, 1, 1, 5, 5), (FOX, 3, 3, 7, 7)), xml((FOX, 2, 2, 4, 4))
    members = [(f"boxes/{FOX}/{FOX}_10.xml", first), (f"boxes/{FOX}/{FOX}_9.xml", second)]
    outputs = []
    for i, order in enumerate((members, members[::-1])):
        tar = archive(tmp_path / f"{i}.tar.gz", [*order, ("readme.txt", b"no XML")])
        outputs.append(tmp_path / f"{i}.parquet")
        box_annotations.write_boxes(tar, "train", None, CLASSES, outputs[i])
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert [(row["filename"], row["xmin_px"]) for row in rows(outputs[0])] == [
        (f"{FOX}_10.JPEG", 9),
        (f"{FOX}_10.JPEG", 1),
        (f"{FOX}_10.JPEG", 3),
        (f"{FOX}_9.JPEG", 2),
    ]


def test_files_boxes_and_problems_are_counted(tmp_path: Path) -> None:
    good, dog, other = (FOX, 1, 2, 3, 4), ("dog", 9, 2, 3, 4), (CRANE, 1, 2, 3, 999)
    members = {f"{FOX}/{FOX}_1.xml": xml(good, dog, other), f"{FOX}/{FOX}_2.xml": xml(), f"{FOX}/{FOX}_3.xml": xml(dog)}
    table, counts = train(tmp_path, members)
    assert len(table) == 4
    assert {key: count for key, count in counts.items() if count} == {
        "xml_files": 3,
        "boxes": 4,
        "usable": 3,
        box_annotations.NO_CLASS: 2,
        box_annotations.REVERSED: 2,
        box_annotations.OTHER_CLASS: 1,
        box_annotations.CLIPPED: 1,
    }


def test_an_archive_of_images_without_boxes_gives_an_empty_table(tmp_path: Path) -> None:
    table, counts = train(tmp_path, {f"{FOX}/{FOX}_1.xml": xml()})
    assert (table, counts["xml_files"], counts["usable"]) == ([], 1, 0)


def test_validation_images_get_their_class_from_their_label(tmp_path: Path) -> None:
    tar = archive(
        tmp_path / "val.tgz",
        [("val/v_2.xml", xml((FOX, 1, 2, 3, 4))), ("val/v_1.xml", xml((FOX, 1, 2, 3, 4), ("bird", 1, 2, 3, 4)))],
    )
    box_annotations.write_boxes(tar, "validation", {"v_2.JPEG": CRANE}, CLASSES, tmp_path / "val.parquet")
    assert [
        tuple(row[column] for column in ("split", "filename", "image_wnid", "wnid", "usable", "problem"))
        for row in rows(tmp_path / "val.parquet")
    ] == [
        ("validation", "v_1.JPEG", None, FOX, False, box_annotations.NO_SUCH_IMAGE),
        ("validation", "v_1.JPEG", None, None, False, box_annotations.NO_SUCH_IMAGE),
        ("validation", "v_2.JPEG", CRANE, FOX, False, box_annotations.OTHER_CLASS),
    ]


@pytest.mark.parametrize(
    ("members", "member", "problem"),
    [
        ({f"{FOX}/{FOX}_1.xml": b"<annotation>"}, f"{FOX}/{FOX}_1.xml", "malformed"),
        ({f"{FOX}/ILSVRC2012_val_00000001.xml": xml()}, f"{FOX}/ILSVRC2012_val_00000001.xml", "not that of a train"),
        ({f"{CRANE}/{FOX}_1.xml": xml()}, f"{CRANE}/{FOX}_1.xml", f"says {FOX}, but its folder {CRANE!r}"),
        ({f"{FOX}_1.xml": xml()}, f"{FOX}_1.xml", "its folder ''"),
        ({f"a/{FOX}/{FOX}_1.xml": xml(), f"b/{FOX}/{FOX}_1.xml": xml()}, f"b/{FOX}/{FOX}_1.xml", "two XML files"),
        ({"readme.txt": b"hello"}, None, "no XML file"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_the_member_and_leaves_no_file(
    tmp_path: Path, members: dict[str, bytes], member: str | None, problem: str
) -> None:
    with pytest.raises(PrepError) as caught:
        train(tmp_path, members)
    assert caught.value.place == str(tmp_path / "train.tar.gz")
    assert caught.value.member == member
    assert problem in caught.value.problem
    assert [path.name for path in tmp_path.iterdir()] == ["train.tar.gz"]


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "train.parquet", tmp_path / "val.parquet"]
    members = [(f"{wnid}/{wnid}_1.xml", xml((wnid, 1, 2, 3, 4))) for wnid in (FOX, CRANE)]
    box_annotations.write_boxes(archive(tmp_path / "t.tgz", members), "train", None, CLASSES, paths[0])
    members = [(f"val/{i}.xml", xml((FOX, 1, 2, 3, 4))) for i in range(3)]
    labels = {"0.JPEG": CRANE, "2.JPEG": FOX}
    box_annotations.write_boxes(archive(tmp_path / "v.tgz", members), "validation", labels, CLASSES, paths[1])
    return paths


def test_parts_are_joined_in_the_order_given(tmp_path: Path, parts: list[Path]) -> None:
    box_annotations.tabulate_boxes(parts, None, tmp_path / "all.parquet")
    assert rows(tmp_path / "all.parquet") == rows(parts[0]) + rows(parts[1])


def test_a_subset_keeps_the_rows_of_its_images(tmp_path: Path, parts: list[Path]) -> None:
    box_annotations.tabulate_boxes(parts, [FOX], tmp_path / "foxes.parquet")
    assert [row["filename"] for row in rows(tmp_path / "foxes.parquet")] == [f"{FOX}_1.JPEG", "2.JPEG"]


def test_no_parts_give_an_empty_table(tmp_path: Path) -> None:
    box_annotations.tabulate_boxes([], None, tmp_path / "none.parquet")
    assert pq.ParquetFile(tmp_path / "none.parquet").schema_arrow == box_annotations.BOXES
    assert rows(tmp_path / "none.parquet") == []


def test_a_damaged_part_is_an_error_that_names_it(tmp_path: Path, parts: list[Path]) -> None:
    parts[1].write_bytes(parts[1].read_bytes()[:-9])
    with pytest.raises(PrepError, match=r"val\.parquet"):
        box_annotations.tabulate_boxes(parts, None, tmp_path / "all.parquet")


def test_the_real_boxes_of_the_first_validation_images(tmp_path: Path, shared_data: Path) -> None:
    real = read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")
    classes = select_classes(real.synsets, None, "original")
    labels = validation_labels(real.ground_truth, real.synsets, classes)
    wnids = dict(zip(labels["filename"].to_pylist(), labels["wnid"].to_pylist(), strict=True))
    with (shared_data / "bbox" / "val_boxes_first1000.csv").open(newline="") as file:
        published = {row["ImageId"]: row["PredictionString"].split() for row in csv.DictReader(file)}
    members = []
    for image, words in published.items():
        things = [tuple(words[i : i + 5]) for i in range(0, len(words), 5)]
        picture = shared_data / "images" / "val" / f"{image}.JPEG"
        far = 1 + max(int(word) for thing in things for word in thing[1:])
        size = Image.open(picture).size if picture.exists() else (far, far)
        members.append((f"val/{image}.xml", xml(*things, filename=image, size=size)))
    output = tmp_path / "val.parquet"
    tar = archive(tmp_path / "val.tgz", members)
    counts = box_annotations.write_boxes(tar, "validation", wnids, classes["wnid"].to_pylist(), output)
    table = rows(output)
    assert counts["xml_files"] == 1000
    assert counts["usable"] == counts["boxes"] == len(table) == sum(len(words) // 5 for words in published.values())
    assert {row["problem"] for row in table} == {None}
    assert [row["filename"] for row in table[:3]] == [f"ILSVRC2012_val_0000000{i}.JPEG" for i in (1, 2, 2)]
    assert [table[0][f"{edge}_px"] for edge in ("xmin", "ymin", "xmax", "ymax")] == [111, 108, 441, 193]
    assert (table[0]["xmin"], table[0]["width"]) == (111 / 500, 500)
