"""What is made of folders, zips and packed tars in place of archives: every product, the archive index only of tars."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import builders
import clones
from imagenet_prep.errors import PrepError
from imagenet_prep.reading.images import Images
from project import LESS, Project, merged

TRAIN, VAL = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
SHARDED = ("webdataset/", "parquet/", "arrayrecord/")
PRODUCTS = ["archive_index", *(name.rstrip("/") for name in SHARDED), "audit"]


def of_sources(finished: Project, folder: Path, products: list[str]) -> Project:
    """A project with class folders in place of the training archive, and a compressed validation archive."""
    project = clones.owned(finished, folder, merged(LESS, {"products": products}))
    train = project.archives / "train"
    train.mkdir()
    subprocess.run(["tar", "-xf", project.archives / TRAIN, "-C", train], check=True)
    for class_tar in train.glob("n*.tar"):
        (train / class_tar.stem).mkdir()
        subprocess.run(["tar", "-xf", class_tar, "-C", train / class_tar.stem], check=True)
        class_tar.unlink()
    (project.archives / TRAIN).unlink()
    subprocess.run(["gzip", project.archives / VAL], check=True)
    return project


def made(project: Project) -> dict[str, str]:
    return {path: it for path, it in project.products().items() if path.startswith(SHARDED)}


def test_all_products_are_those_made_of_the_archives_and_the_index_is_of_tars(
    finished: Project, tmp_path: Path
) -> None:
    of_archives = clones.owned(finished, tmp_path / "archives", merged(LESS, {"products": PRODUCTS}))
    of_archives.succeed()
    project = of_sources(finished, tmp_path / "project", PRODUCTS)
    run = project.succeed()
    assert "Left out: archive_index of train, since its images are files in a folder" in run.terminal
    assert {path.partition("/")[0] + "/" for path in made(project)} == set(SHARDED)
    assert made(project) == made(of_archives)
    assert builders.files_below(project.results / "archive_index") == {
        "dali/validation.idx",
        f"ratarmount/{VAL}.index.sqlite",
    }
    assert json.loads((project.results / "audit.json").read_text())["ok"] is True
    assert project.run().nothing_done
    project.succeed("check")
    assert len(Images(project.results, "validation")[0][0])
    with pytest.raises(PrepError, match="lie in no archive"):
        Images(project.results, "train")

    shutil.move(project.archives / "train", tmp_path / "gone")
    assert project.run().nothing_done, "what was left out stays so when the folder is gone"


@pytest.mark.parametrize("at_first", [True, False], ids=["in a new project", "when it was scanned"])
def test_of_a_folder_the_index_is_refused_by_name(finished: Project, tmp_path: Path, at_first: bool) -> None:
    project = of_sources(finished, tmp_path / "project", ["archive_index", "audit"])
    if not at_first:
        project.succeed("verify")
    refused = project.run("archive_index_train")
    assert refused.code != 0
    assert "archive_index" in refused.last_line
    assert "its images are files in a folder, and readers look for the class" in refused.last_line
    assert not (project.results / "archive_index" / "dali" / "train.idx").exists()


def test_a_zip_has_no_index_and_its_images_are_read_as_they_lie_there(finished: Project, tmp_path: Path) -> None:
    project = clones.owned(finished, tmp_path / "project", merged(LESS, {"products": ["archive_index", "audit"]}))
    folder = tmp_path / "val"
    folder.mkdir()
    subprocess.run(["tar", "-xf", project.archives / VAL, "-C", folder], check=True)
    (project.archives / VAL).unlink()
    with zipfile.ZipFile(project.archives / "val.zip", "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    run = project.succeed()
    assert "Left out: archive_index of validation, since its images lie in a zip archive" in run.terminal
    images = Images(project.results, "validation")
    assert images[1][0] == (folder / images.filename(1)).read_bytes()


def test_a_link_of_ones_own_in_the_place_of_an_archive_is_held_against_its_size(
    finished: Project, tmp_path: Path
) -> None:
    project = clones.owned(finished, tmp_path / "project", LESS)
    other = tmp_path / "val.tar"
    shutil.copy(project.archives / VAL, other)
    with other.open("ab") as file:
        file.write(bytes(10240))
    (project.archives / VAL).unlink()
    (project.archives / VAL).symlink_to(other)
    run = project.run("tfrecord_validation")
    assert run.code != 0
    assert f"it has {other.stat().st_size} bytes where {other.stat().st_size - 10240} are expected" in run.terminal
