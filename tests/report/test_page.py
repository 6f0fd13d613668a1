"""The page as it stands in its files: its figures are those of the products, and it needs nothing but itself."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from imagenet_prep.report.files import FILES
from project import Project
from report.document import Document, table

ARCHIVES = {"train": "train", "validation": "val", "test": "test", "train_t3": "train_t3"}


@pytest.fixture(scope="module")
def report(finished: Project) -> Path:
    return finished.results / "report"


@pytest.fixture(scope="module")
def document(report: Path) -> Document:
    return Document((report / "index.html").read_text(encoding="utf-8"))


def data(path: Path) -> Any:
    """What a script assigns."""
    return json.loads(path.read_text(encoding="utf-8").partition(" = ")[2].rstrip(";\n"))


def test_every_element_is_closed(document: Document) -> None:
    assert document.open == []


def test_what_the_page_loads_lies_beside_it(document: Document, report: Path) -> None:
    assert document.loaded
    for address in set(document.loaded) - {"data:,"}:
        assert (report / address).is_file(), address


def test_the_folder_holds_the_page_and_nothing_else(report: Path) -> None:
    assert sorted(path.name for path in report.iterdir()) == sorted([*FILES, "odd.webp", "samples-00.webp"])


def test_the_page_has_a_row_for_each_split_with_its_figures(document: Document, finished: Project) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    boxes = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("usable")
    rows = {row["split"]: row for row in table(document, "Splits")}
    assert rows.keys() == ARCHIVES.keys()
    for split, row in rows.items():
        of_split = images[images["split"] == split]
        assert row["images"] == str(len(of_split))
        assert row["classes"] == (str(of_split["wnid"].nunique()) if split != "test" else "no labels")
        if split in ("train", "validation"):
            assert row["usable boxes"] == str((boxes["split"] == split).sum())


def test_the_page_has_each_check_of_the_audit_with_its_figures(document: Document, finished: Project) -> None:
    checks = json.loads((finished.results / "audit.json").read_text())["checks"]
    rows = {row["check"]: row for row in table(document, "The audit")}
    assert rows.keys() == {check["name"] for check in checks}
    for check in checks:
        row = rows[check["name"]]
        assert row["result"] == "✓ ok"
        assert re.findall(r"\d+", row["figures"]) == [str(value) for value in check["figures"].values()]


def test_the_page_has_each_archive_with_its_checksum(document: Document, finished: Project) -> None:
    receipts = [json.loads(path.read_text()) for path in (finished.results / "verified").glob("*.json")]
    rows = {row["archive"]: row for row in table(document, "Archives")}
    assert rows.keys() == {receipt["file"] for receipt in receipts}
    for receipt in receipts:
        assert rows[receipt["file"]]["bytes"] == str(receipt["bytes"])
        assert receipt["md5"] in rows[receipt["file"]]["checksum"]


def test_the_page_has_each_class_in_every_numbering_with_its_images(document: Document, finished: Project) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    counts = images.groupby(["wnid", "split"]).size()
    classes = pd.read_csv(finished.results / "labels" / "classes.csv")
    head, *rows = next(rows for rows in document.tables.values() if rows[0][0] == "class")
    assert [name.replace("\xa0", " ") for name in head[:5]] == ["class", "WNID", "index", "tf_label", "devkit ID"]
    wanted = [
        [it.words, it.wnid, str(it.class_index), str(it.tf_label), str(it.ilsvrc2012_id)]
        + [str(counts.get((it.wnid, split), 0)) for split in head[5:]]
        for it in classes.itertuples()
    ]
    assert rows == wanted


@pytest.mark.parametrize(("title", "column"), [("Width", "width"), ("Height", "height"), ("File size", "length")])
def test_a_histogram_s_bins_hold_all_images(title: str, column: str, document: Document, finished: Project) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    head, *rows = document.tables[title]
    for position, split in enumerate(head[1:], 1):
        values = images.loc[images["split"] == split, column]
        assert sum(int(row[position]) for row in rows) == len(values)
        for label, *counts in rows:
            first, _, last = label.partition("\u2013")
            if last and column != "length":
                assert int(counts[position - 1]) == values.between(int(first), int(last)).sum()


def test_boxes_of_an_image_are_counted_over_all_images(document: Document, finished: Project) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    boxes = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("usable")
    head, *rows = document.tables["Boxes of an image"]
    for position, split in enumerate(head[1:], 1):
        names = images.loc[images["split"] == split, "filename"]
        wanted = boxes[boxes["split"] == split]["filename"].value_counts().reindex(names, fill_value=0).value_counts()
        found = {int(row[0]): int(row[position]) for row in rows if row[0].isdecimal() and row[position] != "0"}
        assert found.items() <= wanted.to_dict().items()
        assert found


def test_odd_images_are_named_with_what_is_odd(document: Document, finished: Project) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    cmyk = images[images["colorspace"] == "CMYK"]
    rows = list(table(document, f"CMYK {len(cmyk)}"))
    assert {row["file"] for row in rows} == set(cmyk["filename"] + cmyk["split"])
    records = cmyk["split"].isin(["train", "validation"]).sum()
    assert sum("encoded again in shards" in row["special"] for row in rows) == records
    pngs = images[images["format"] == "PNG"]
    assert {row["file"] for row in table(document, f"PNG {len(pngs)}")} == set(pngs["filename"] + pngs["split"])
    largest = list(table(document, "Largest"))
    areas = [int(w) * int(h) for w, h in (re.findall(r"\d+", row["pixels"]) for row in largest)]
    assert areas == sorted((images["width"] * images["height"]).tolist(), reverse=True)[: len(areas)]


def test_samples_are_told_with_their_boxes_in_thousandths(report: Path, finished: Project) -> None:
    boxes = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("usable")
    images = pd.read_parquet(finished.results / "tables" / "images.parquet").set_index(["split", "filename"])
    told = 0
    for row in data(report / "classes.js")["classes"]:
        assert row["samples"]
        for filename, split, width, height, length, _, _, shown in row["samples"]:
            image = images.loc[(split, filename)]
            assert (row["wnid"], width, height, length) == (image.wnid, image.width, image.height, image.length)
            own = boxes[(boxes["split"] == split) & (boxes["filename"] == filename)]
            assert shown == [
                [round(1000 * edge) for edge in box] for box in own[["xmin", "ymin", "xmax", "ymax"]].values
            ]
            told += len(shown)
    assert told > 10


def test_only_the_times_of_the_run_differ_when_the_page_is_made_again(project: Project) -> None:
    report = project.results / "report"
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    shutil.rmtree(report)
    assert project.succeed(cores=1).rules == {"draw_samples", "write_page", "all"}
    after = {path.name: path.read_bytes() for path in report.iterdir()}
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} <= {"run.js"}
    assert project.run().nothing_done


def contrast(first: str, second: str) -> float:
    """Of two colours, by WCAG 2."""

    def luminance(color: str) -> float:
        digits = "".join(2 * it for it in color[1:]) if len(color) == 4 else color[1:]
        parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
        red, green, blue = (it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_text_is_dark_enough_on_light_and_light_enough_on_dark(report: Path) -> None:
    blocks = re.findall(r":root \{(.*?)\n *\}", (report / "page.css").read_text(), re.S)
    assert len(blocks) == 3
    for block in blocks:
        colors = dict(re.findall(r"--([\w-]+): (#\w+);", block))
        for text in ("ink", "muted", "accent", "good", "bad"):
            for ground in ("paper", "raised"):
                assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
