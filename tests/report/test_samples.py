"""Samples of classes and their thumbnails, held against decoding the image files whole."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.errors import PrepError
from imagenet_prep.report.samples import SIDE, Sheet, Shown, _evenly, choose, make_sheet
from imagenet_prep.report.survey import Picture
from project import Project

SPLITS = ILSVRC2012.splits


def sheet_of(
    lines: list[list[Picture]], columns: int, folder: Path, output: Path, limit: int = 1_000_000
) -> list[list[Shown]]:
    pictures = [it for line in lines for it in line]
    return make_sheet(Sheet(lines, columns, output, limit), {it.archive: folder / it.archive for it in pictures})


@given(count=st.integers(0, 2000), wanted=st.integers(1, 50))
def test_positions_are_spread_evenly_and_none_is_taken_twice(count: int, wanted: int) -> None:
    found = _evenly(count, wanted).tolist()
    assert len(found) == min(count, wanted) == len(set(found))
    assert all(0 <= position < count for position in found)
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("splits", "wanted"),
    [
        (["train", "validation", "test"], {"train": 4, "validation": 2}),
        (["train"], {"train": 6}),
        (["validation", "test"], {"validation": 3}),  # no more are there
        (["train", "train_t3"], {"train": 6}),
        (["validation", "train_t3"], {"validation": 3}),
        (["train_t3"], {"train_t3": 4}),
        (["test"], {}),
    ],
)
def test_a_class_is_shown_by_splits_in_use(splits: list[str], wanted: dict[str, int], finished: Project) -> None:
    wnid = "n02085620"  # of the dogs, so that the fine-grained set has it
    chosen = choose(finished.results / "tables" / "images.parquet", [wnid], [SPLITS[name] for name in splits], {})[wnid]
    assert Counter(it.split for it in chosen) == wanted
    assert {it.wnid for it in chosen} <= {wnid}


def test_a_sheet_shows_each_image_in_its_cell(finished: Project, tmp_path: Path) -> None:
    wnids = ["n02119789", "n02012849"]
    chosen = choose(finished.results / "tables" / "images.parquet", wnids, [SPLITS["train"], SPLITS["validation"]], {})
    lines = [chosen[wnid] for wnid in wnids]
    made = sheet_of(lines, 6, finished.results / "archives", tmp_path / "sheet.webp")
    sheet = Image.open(tmp_path / "sheet.webp").convert("RGB")
    assert sheet.size == (6 * SIDE, 2 * SIDE)
    for y, line in enumerate(lines):
        for x, it in enumerate(line):
            size = made[y][x].size
            assert size is not None
            tree = {"train": "train", "validation": "val"}[it.split]
            image = Image.open(finished.results / "imagefolder" / tree / str(it.wnid) / it.filename).convert("RGB")
            image.thumbnail((SIDE, SIDE))  # Pillow's own, which makes no small image larger either
            assert size == image.size
            cell = sheet.crop((x * SIDE, y * SIDE, x * SIDE + size[0], y * SIDE + size[1]))
            if it.colorspace != "CMYK":
                assert np.abs(np.asarray(cell, float) - np.asarray(image, float)).mean() < 12


def test_an_image_that_does_not_decode_leaves_its_cell_empty(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "red").save(tmp_path / "good.jpg")
    good = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "archive.tar").write_bytes(good + b"no image")
    row = {"split": "train", "wnid": None, "archive": "archive.tar", "width": 300, "height": 200}
    kind = {"format": "JPEG", "colorspace": "RGB"}
    pictures = [
        Picture(filename="a", offset=0, length=len(good), **row, **kind),
        Picture(filename="b", offset=len(good), length=8, **row, **kind),
    ]
    (made,) = sheet_of([pictures], 2, tmp_path, tmp_path / "sheet.webp")
    assert [it.size for it in made] == [(128, 85), None]


def test_thumbnails_get_coarser_where_a_sheet_would_be_too_large(finished: Project, tmp_path: Path) -> None:
    chosen = choose(finished.results / "tables" / "images.parquet", ["n02119789"], [SPLITS["train"]], {})
    sizes = []
    for limit in (1_000_000, 1):
        sheet_of(list(chosen.values()), 6, finished.results / "archives", tmp_path / "sheet.webp", limit)
        sizes.append((tmp_path / "sheet.webp").stat().st_size)
    assert sizes[1] < 0.7 * sizes[0]


def test_an_archive_that_is_not_there_any_more_is_named(tmp_path: Path) -> None:
    picture = Picture("train", "a", None, "gone.tar", 0, 10, 1, 1, "JPEG", "RGB")
    with pytest.raises(PrepError, match=r"gone\.tar: the file is not there"):
        sheet_of([[picture]], 1, tmp_path, tmp_path / "sheet.webp")
    assert not (tmp_path / "sheet.webp").exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_class_that_has_a_box_has_a_sample_with_one(split: str, finished: Project) -> None:
    boxes = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("usable and split == @split")
    (table,) = (finished.results / "state" / "boxes").glob(f"{split}.*.parquet")
    wnids = pd.read_csv(finished.results / "labels" / "classes.csv")["wnid"].tolist()
    arguments = finished.results / "tables" / "images.parquet", wnids, [SPLITS[split]]
    plain, chosen = choose(*arguments, {}), choose(*arguments, {split: table})
    boxed = set(boxes["filename"])
    assert set(boxes["image_wnid"]) == {wnid for wnid in wnids if boxed & {it.filename for it in chosen[wnid]}}
    for wnid in wnids:
        names = [it.filename for it in chosen[wnid]]
        assert len(set(names)) == len(plain[wnid])
        assert {it.wnid for it in chosen[wnid]} == {wnid}
        if boxed & {it.filename for it in plain[wnid]} or wnid not in set(boxes["image_wnid"]):
            assert chosen[wnid] == plain[wnid]


def test_the_one_image_with_a_box_is_among_the_samples_wherever_it_stands(finished: Project, tmp_path: Path) -> None:
    images = pd.read_parquet(finished.results / "tables" / "images.parquet").query("split == 'train'")
    wnid = images["wnid"].iloc[0]
    for filename in images.loc[images["wnid"] == wnid, "filename"]:
        pq.write_table(
            pa.table({"filename": [filename, "other"], "image_wnid": [wnid, wnid], "usable": [True, False]}),
            tmp_path / "boxes.parquet",
            write_page_checksum=True,
        )
        table = finished.results / "tables" / "images.parquet"
        chosen = choose(table, [wnid], [SPLITS["train"], SPLITS["validation"]], {"train": tmp_path / "boxes.parquet"})
        assert filename in {it.filename for it in chosen[wnid]}
        assert len({it.filename for it in chosen[wnid]}) == 6
