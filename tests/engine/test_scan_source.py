"""The scan of what people have in place of an archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import CRANE, FOX, TRUTH, image, is_one_line, synsets, tar, train_images, val_images
from engine.findings import put
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.images import label_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.engine.scan_source import Found, scan_folder
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tree

TRAIN, VAL = ILSVRC2012.splits["train"], ILSVRC2012.splits["validation"]


def scanned(folder: Path, split: Any = TRAIN) -> tuple[Found, list[dict[str, Any]]]:
    output = folder.parent / "scan.parquet"
    found = scan_folder(split, folder, "below", output)
    return found, pq.read_table(output).to_pylist()


def refused(folder: Path, split: Any = TRAIN) -> PrepError:
    with pytest.raises(PrepError) as caught:
        scanned(folder, split)
    assert is_one_line(caught.value)
    return caught.value


def class_folders(folder: Path) -> Path:
    for name, content in train_images().items():
        put(folder / name.partition("_")[0] / name, content)
    return folder


def test_an_image_is_the_whole_of_a_file_below_archives_dir(tmp_path: Path) -> None:
    found, rows = scanned(class_folders(tmp_path / "train"))
    assert [row["filename"] for row in rows] == sorted(train_images())
    for row in rows:
        assert row["archive"] == f"below/{row['wnid']}/{row['filename']}"
        assert (row["offset"], row["nbytes"]) == (0, len(train_images()[row["filename"]]))
    assert (found.images, found.nbytes) == (9, sum(map(len, train_images().values())))
    assert pq.ParquetFile(tmp_path / "scan.parquet").num_row_groups == 3


def test_class_tars_in_a_folder_are_read_as_they_lie_there(tmp_path: Path) -> None:
    images = train_images()
    for wnid in (FOX, CRANE):
        members = {f"{wnid}/{name}": content for name, content in images.items() if name.startswith(wnid)}
        put(tmp_path / "tars" / f"{wnid}.tar", tar({**members, f"{wnid}/._x": b"of macOS"}))
    found, rows = scanned(tmp_path / "tars")
    assert (found.images, found.passed_over) == (6, 2)
    for row in rows:
        assert row["archive"] == f"below/{row['wnid']}.tar"
        content = (tmp_path / "tars" / f"{row['wnid']}.tar").read_bytes()
        assert content[row["offset"] :][: row["nbytes"]] == images[row["filename"]]


def test_of_a_tar_of_everything_the_images_of_a_split_are_read(tmp_path: Path) -> None:
    boxes = {"ILSVRC/Annotations/CLS-LOC/val/ILSVRC2012_val_00000001.xml": b"<annotation/>"}
    train = {f"ILSVRC/Data/CLS-LOC/train/{name[:9]}/{name}": content for name, content in train_images().items()}
    val = {f"ILSVRC/Data/CLS-LOC/val/{name}": content for name, content in val_images().items()}
    archive = put(tmp_path / "kaggle.tar", tar({**boxes, **train, **val}))
    for name, images in (("train", train_images()), ("val", val_images())):
        receipt = scan(name, archive, Expected(), tmp_path / f"{name}.parquet", ILSVRC2012)
        assert receipt["members"] == len(images)
        rows = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        content = archive.read_bytes()
        assert {row["filename"]: content[row["offset"] :][: row["nbytes"]] for row in rows} == images


def test_class_folders_in_a_tar_of_validation_images_tell_the_class(tmp_path: Path) -> None:
    images = {f"val/{FOX}/{name}": content for name, content in val_images().items()}
    scan("val", put(tmp_path / "val.tar", tar(images)), Expected(), tmp_path / "val.parquet", ILSVRC2012)
    assert pq.read_table(tmp_path / "val.parquet")["wnid"].unique().to_pylist() == [FOX]


@pytest.mark.parametrize("kind", ["tar", "folder"])
def test_images_of_another_split_that_lie_there_too_are_left_alone(kind: str, tmp_path: Path) -> None:
    images = {f"train/{it.partition('_')[0]}/{it}": content for it, content in train_images().items()}
    images |= {f"val/{it}": content for it, content in val_images().items()}
    path, link = put(tmp_path / "imagenet.tar", tar(images)), tmp_path / "ILSVRC2012_img_val.tar"
    for name, content in images.items():
        put(tmp_path / "all" / name, content)
    for split, wanted in ((TRAIN, train_images()), (VAL, val_images())):
        output = tmp_path / f"{split.name}.parquet"
        if kind == "folder":
            scan_folder(split, tmp_path / "all", "all", output, [TRAIN, VAL])
        else:
            link.unlink(missing_ok=True)
            link.symlink_to(path)
            scan(split.archive, link, Expected(), output, ILSVRC2012)
        assert set(pq.read_table(output)["filename"].to_pylist()) == set(wanted)


def test_what_desktops_and_people_leave_in_folders_is_passed_over_and_counted(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "train")
    for name in ("._a.JPEG", ".DS_Store", ".ipynb_checkpoints/a.JPEG", "Thumbs.db", "README.txt"):
        put(folder / FOX / name)
    assert scanned(folder)[0].passed_over == 5


def test_the_same_folder_is_known_as_the_same_and_another_is_not(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "train")
    before = scanned(folder)[0].sha256
    os.utime(folder / FOX / f"{FOX}_2.JPEG")
    assert scanned(folder)[0].sha256 == before
    put(folder / FOX / f"{FOX}_2.JPEG", image(99))
    assert scanned(folder)[0].sha256 != before


def test_names_of_hugging_face_are_stripped_and_tell_the_class(tmp_path: Path) -> None:
    put(tmp_path / "data" / f"{FOX}_10_{FOX}.JPEG", image())
    assert [(row["filename"], row["wnid"]) for row in scanned(tmp_path / "data")[1]] == [(f"{FOX}_10.JPEG", FOX)]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (f"{FOX}/{CRANE}_1.JPEG", image(), f"the file name says {CRANE}, and the folder {FOX}"),
        (f"{FOX}/{FOX}_10_{CRANE}.JPEG", image(), f"the file name says {CRANE}, and the folder {FOX}"),
        (f"{FOX}/fox.jpg", image(), "the file name is not one of the train images"),
        (f"{FOX}/{FOX}_1.JPEG", b"", "the image is empty (0 bytes)"),
        (f"{FOX}/{FOX}_1.JPEG", image()[:-9], "cut off"),
        (f"other/{FOX}_2.JPEG", image(), f"two files have the name {FOX}_2.JPEG: below/{FOX}/"),
    ],
)
def test_what_is_no_image_of_its_class_is_named(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    folder = class_folders(tmp_path / "train")
    put(folder / name, content)
    error = refused(folder)
    assert problem in error.problem
    assert error.place in (f"{folder}/{name}", str(folder))


def test_a_link_that_leads_nowhere_or_back_is_named(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "train")
    link = folder / FOX / f"{FOX}_1.JPEG"
    link.symlink_to("/no/such/disk/fox.JPEG")
    assert refused(folder).place == str(link)
    link.unlink()
    (folder / FOX / "loop").symlink_to(folder)
    assert "leads back" in refused(folder).problem


def test_a_folder_without_images_of_the_split_is_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    assert "it holds no image" in refused(tmp_path / "train").problem


def labelled(folder: Path, split: Any, **how: Any) -> list[dict[str, Any]]:
    scanned(folder, split)
    classes = select_classes(synsets(), None, "original")
    tables = label_images(folder.parent / "scan.parquet", split, synsets(), TRUTH, classes, folder, **how)
    return [row for table in tables for row in table.to_pylist()]


def validation_folders(folder: Path, by_index: bool) -> Path:
    by_id = {1: (FOX, "001"), 2: ("n03126707", "002"), 3: (CRANE, "000")}
    for (name, content), number in zip(val_images().items(), TRUTH.tolist(), strict=True):
        put(folder / by_id[number][by_index] / name, content)
    return folder


@pytest.mark.parametrize("by_index", [False, True])
def test_validation_folders_agree_with_the_devkit_or_the_image_is_named(tmp_path: Path, by_index: bool) -> None:
    folder = validation_folders(tmp_path / "val", by_index)
    assert [row["wnid"] for row in labelled(folder, VAL)][:2] == [FOX, CRANE]
    wrong = folder / ("000" if by_index else CRANE) / "ILSVRC2012_val_00000001.JPEG"
    next(folder.glob(f"*/{wrong.name}")).rename(wrong)
    with pytest.raises(PrepError, match=f"and the devkit says {FOX}") as caught:
        labelled(folder, VAL)
    assert caught.value.member == f"below/{wrong.relative_to(folder)}"


def test_a_class_that_lacks_images_or_is_missing_is_named(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "train")
    assert len(labelled(folder, TRAIN, counted=True)) == 9
    (folder / FOX / f"{FOX}_2.JPEG").unlink()
    with pytest.raises(PrepError, match=f"class {FOX} has 2 images here, and 3 in the devkit"):
        labelled(folder, TRAIN, counted=True)
    for path in (folder / FOX).iterdir():
        path.unlink()
    with pytest.raises(PrepError, match=f"class {FOX} has 0 images here"):
        labelled(folder, TRAIN, counted=True)


def test_the_state_of_a_folder_follows_names_and_not_times_of_files(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "train")
    before = tree.state(folder)
    os.utime(folder / FOX / f"{FOX}_2.JPEG")
    assert tree.state(folder) == before
    (folder / FOX / f"{FOX}_2.JPEG").rename(folder / FOX / f"{FOX}_3.JPEG")
    assert tree.state(folder) != before
