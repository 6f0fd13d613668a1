"""What the page is made of: less than everything, images that EXIF turns, and inputs that are damaged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from PIL.ExifTags import Base

from imagenet_prep.configuration import complete
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import parquet
from imagenet_prep.products.report import sheet_names
from imagenet_prep.report import survey
from imagenet_prep.report.page import Page
from imagenet_prep.report.sheets import Sheets
from project import Project, merged
from report.document import Document, table

ORIENTATION = Base.Orientation
ARCHIVES = {"train": "train", "validation": "val", "test": "test", "train_t3": "train_t3"}


def boxes_of(project: Project, split: str) -> Path:
    """The one table of a split's boxes."""
    (found,) = (project.results / "state" / "boxes").glob(f"{split}.*.parquet")
    return found


def write_page(project: Project, changes: dict[str, Any]) -> Page:
    """Write the page of a project's results, were they made with some of the configuration changed, and its sheets."""
    settings = merged(yaml.safe_load((project.folder / "config" / "config.yaml").read_text()), {})
    settings = merged(settings, yaml.safe_load((project.folder / "test.yaml").read_text()))
    config = complete(merged(settings, changes), project.folder)
    splits = [split for split, archive in ARCHIVES.items() if archive in config["use"]]
    boxes = [split for split in splits if f"bbox_{ARCHIVES[split]}" in config["use"]]
    config = {**config, "output_dir": str(project.results)}
    page = Page(
        config=config,
        boxes={split: boxes_of(project, split) for split in boxes},
        receipts=[project.results / "verified" / f"{name}.json" for name in config["use"]],
        stages={"scan_archive": "archives"},
        sheets=sheet_names(config),
        drawn=Sheets.of({**config, "archives_dir": str(project.archives)}, {}).write(processes=1),
        readers=project.folder / "docs" / "readers.md",
        readme=project.folder / "README.md",
        scores={},
    )
    page.write()
    return page


@pytest.mark.parametrize(
    "changes",
    [
        {"use": ["val", "devkit"], "products": ["imagefolder", "report"]},
        {"use": ["train", "devkit", "bbox_train"], "products": ["bboxes", "report"]},
        {"use": ["test", "devkit"], "products": ["imagefolder", "report"]},
        {"use": ["train_t3", "devkit"], "products": ["imagefolder", "report"]},
        {"use": ["train", "val", "devkit"], "products": ["tfrecord", "audit", "report"]},
        {"synthetic": None, "classes": ["n02119789", "n02012849"]},
    ],
    ids=["val", "train with boxes", "test", "train_t3", "no boxes", "classes"],
)
def test_the_page_fits_what_is_in_use(changes: dict[str, Any], project: Project) -> None:
    page = write_page(project, changes)
    document = Document((project.results / "report" / "index.html").read_text(encoding="utf-8"))
    assert document.open == []
    assert {row["split"] for row in table(document, "Splits")} == {split.name for split in page.splits}
    assert ("Where boxes lie" in (project.results / "report" / "index.html").read_text()) == bool(page.boxes)
    sheets = sorted(path.name for path in (project.results / "report").glob("samples-*"))
    assert sheets == ([] if changes.get("use") == ["test", "devkit"] else ["samples-00.webp"])


def test_a_split_in_use_of_which_no_image_is_selected_has_a_row_of_zeros(project: Project) -> None:
    path = project.results / "tables" / "images.parquet"
    images = pq.ParquetFile(path)
    groups = [images.read_row_group(group) for group in range(images.num_row_groups)]
    with parquet.writing(path, images.schema_arrow) as writer:
        for group in groups:
            if group["split"][0].as_py() != "train_t3":
                writer.write_table(group)
    write_page(project, {})
    document = Document((project.results / "report" / "index.html").read_text(encoding="utf-8"))
    rows = {row["split"]: row for row in table(document, "Splits")}
    assert rows["train_t3"]["images"] == rows["train_t3"]["classes"] == "0"
    assert rows["test"]["classes"] == "no labels"


def test_images_that_exif_turns_are_counted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_EXTREMES", 1000)  # so that all images are shown
    labels = project.results / "labels" / "classes.csv"
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:2]))  # and few as samples
    write_page(project, {})
    files = [path for path in (project.results / "imagefolder").rglob("*.JPEG") if path.is_file()]
    turned = sum(Image.open(path).getexif().get(ORIENTATION, 1) != 1 for path in files)
    html = (project.results / "report" / "index.html").read_text(encoding="utf-8")
    rows = list(table(Document(html), f"Turned by EXIF {turned}"))
    assert len(rows) == turned > 3
    assert all("EXIF orientation" in row["special"] for row in rows)
    assert f"Looked for in the {len(files)} images" in html


@pytest.mark.parametrize(
    ("changes", "sheets"),
    [
        ({}, 40),
        ({"use": ["train_t3", "devkit"]}, 40),
        ({"use": ["test", "devkit"]}, 0),
        ({"classes": [f"n{number:08}" for number in range(26)]}, 2),
    ],
)
def test_each_class_has_a_place_on_a_sheet_where_any_image_has_a_class(changes: dict[str, Any], sheets: int) -> None:
    assert len(sheet_names({"use": ["val", "devkit"], "classes": None, **changes})) == sheets


def test_sheets_that_an_older_configuration_left_go(project: Project) -> None:
    old = project.results / "report" / "samples-07.webp"
    own = project.results / "report" / "notes.txt"
    for path in (old, own):
        path.touch()
    write_page(project, {})
    assert not old.exists()
    assert own.exists()


@pytest.mark.parametrize("path", ["labels/classes.csv", "audit.json", "verified/val.json", "boxes"])
def test_a_damaged_input_is_named_and_the_page_stays(path: str, project: Project) -> None:
    before = (project.results / "report" / "index.html").read_bytes()
    damaged = boxes_of(project, "train") if path == "boxes" else project.results / path
    damaged.write_text("{")
    with pytest.raises(PrepError, match=re.escape(str(damaged))):
        write_page(project, {})
    assert (project.results / "report" / "index.html").read_bytes() == before
