"""What the workflow makes of the synthetic ILSVRC2012, held against what was put into it."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from examples import read_split
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.receipts import LEFTOVERS
from imagenet_prep.engine.table_steps import SCAN_VERSION
from imagenet_prep.products.audit.run import Audit
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from imagenet_prep.synthetic import Settings, World, plan
from imagenet_prep.synthetic.drawing import background_color
from products.maker import Maker
from project import SMALL, Project, merged

WORLD: World = plan(Settings(**SMALL["synthetic"]))
TREES = {"train": "train", "validation": "val", "train_t3": "train_t3"}


def archive_files(project: Project, name: str, tmp_path: Path) -> dict[str, bytes]:
    """Base name and bytes of every image in an archive, taken out by GNU tar."""
    subprocess.run(["tar", "xf", project.archives / name], cwd=tmp_path, check=True)
    for inner in list(tmp_path.glob("*.tar")):
        subprocess.run(["tar", "xf", inner], cwd=tmp_path, check=True)
    return {path.name: path.read_bytes() for path in tmp_path.rglob("*.JPEG")}


@pytest.mark.parametrize(
    ("split", "archive"),
    [
        ("train", "ILSVRC2012_img_train.tar"),
        ("val", "ILSVRC2012_img_val.tar"),
        ("test", "ILSVRC2012_img_test_v10102019.tar"),
        ("train_t3", "ILSVRC2012_img_train_t3.tar"),
    ],
)
def test_the_imagefolder_is_what_tar_takes_out(split: str, archive: str, finished: Project, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in (finished.results / "imagefolder" / split).rglob("*.*")}
    assert files == archive_files(finished, archive, tmp_path)


@pytest.mark.parametrize("split", TREES)
def test_every_image_lies_in_the_folder_of_its_class(split: str, finished: Project) -> None:
    tree = finished.results / "imagefolder" / TREES[split]
    lying = {path.name: path.parent.name for path in tree.glob("*/*")}
    assert lying == {image.filename: image.label.wnid for image in WORLD.images(split)}


def test_the_table_of_images_gives_byte_ranges_that_are_the_images(finished: Project) -> None:
    table = pd.read_parquet(finished.results / "tables" / "images.parquet")
    assert table["split"].value_counts().to_dict() == {
        split: WORLD.count(split) for split in ("train", "validation", "test", "train_t3")
    }
    for row in table.itertuples():
        with open(finished.results / "archives" / row.archive, "rb") as archive:
            archive.seek(row.offset)
            image = Image.open(io.BytesIO(archive.read(row.length)))
        assert (image.width, image.height, image.format) == (row.width, row.height, row.format)
        assert {"L": "Grayscale"}.get(image.mode, image.mode) == row.colorspace
        assert len(image.getbands()) == row.channels


def test_every_image_is_a_record_with_its_class(finished: Project) -> None:
    for split in ("train", "validation"):
        records = read_split(finished.results / "tfrecord", split)
        wanted = {image.filename: image for image in WORLD.images(split)}
        assert records.keys() == wanted.keys()
        classes = {entry.wnid: entry for entry in WORLD.classes}
        for name, features in records.items():
            entry = classes[wanted[name].label.wnid]
            assert features["image/class/label"] == [entry.index + 1]
            assert features["image/class/synset"] == [entry.wnid.encode()]
            assert features["image/class/text"] == [entry.words.encode()]
            assert features["image/format"] == [b"JPEG"]
            assert features["image/channels"] == [3]
            assert features["image/colorspace"] == [b"RGB"]


def test_cmyk_and_png_images_become_rgb_jpegs_and_others_stay(finished: Project, tmp_path: Path) -> None:
    table = pd.read_parquet(finished.results / "tables" / "images.parquet").query("split == 'train'")
    odd = set(table[(table["colorspace"] == "CMYK") | (table["format"] == "PNG")]["filename"])
    assert len(odd) >= 3
    index = dict(zip(table["filename"], table["class_index"], strict=True))
    files = archive_files(finished, "ILSVRC2012_img_train.tar", tmp_path)
    for name, features in read_split(finished.results / "tfrecord", "train").items():
        encoded = features["image/encoded"][0]
        if name not in odd:
            assert encoded == files[name]
            continue
        image = Image.open(io.BytesIO(encoded))
        assert (image.format, image.mode, image.width, image.height) == (
            "JPEG",
            "RGB",
            features["image/width"][0],
            features["image/height"][0],
        )
        corner = np.array(image.getpixel((image.width - 1, 0)), int)
        assert np.abs(corner - background_color(index[name])).max() < 12, name


def test_the_boxes_in_the_records_are_the_usable_ones_of_the_table(finished: Project) -> None:
    table = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("usable")
    assert len(table)
    for split in ("train", "validation"):
        of_image: dict[str, Any] = dict(list(table[table["split"] == split].groupby("filename", sort=False)))
        for name, features in read_split(finished.results / "tfrecord", split).items():
            rows = of_image.get(name)
            for side in ("xmin", "ymin", "xmax", "ymax"):
                wanted = [] if rows is None else rows[side].astype("float32").tolist()
                assert features[f"image/object/bbox/{side}"] == wanted
            assert features["image/object/bbox/label"] == features["image/class/label"] * len(wanted)


def test_shards_are_even_and_their_indexes_say_where_each_record_lies(finished: Project, tmp_path: Path) -> None:
    from tfrecord.tools.tfrecord2idx import create_index

    counts: dict[str, list[int]] = {"train": [], "validation": []}
    for path in sorted((finished.results / "tfrecord_index").iterdir()):
        theirs = tmp_path / "theirs.idx"
        create_index(str(finished.results / "tfrecord" / path.name), str(theirs))
        assert path.read_text() == theirs.read_text()
        counts[path.name.partition("-")[0]].append(len(path.read_text().splitlines()))
    assert all(max(sizes) - min(sizes) <= 1 for sizes in counts.values())
    assert {split: sum(sizes) for split, sizes in counts.items()} == {split: WORLD.count(split) for split in counts}


def test_labels_begin_with_0_and_odd_images_stay_as_they_are_where_the_configuration_says_so(project: Project) -> None:
    maker = Maker(project, {"tfrecord": {"label_base": 0}, "shards": {"cmyk_to_rgb": False, "png_to_jpeg": False}})
    for step, subject in SPLIT_PRODUCTS["tfrecord"].known_by(maker.config):
        maker.make(step, subject)
    table = pd.read_parquet(project.results / "tables" / "images.parquet").set_index("filename")
    formats = set()
    for name, features in read_split(project.results / "tfrecord", "train").items():
        row = table[table["split"] == "train"].loc[name]
        assert features["image/class/label"] == [row["class_index"]]
        assert len(features["image/encoded"][0]) == row["length"]
        formats.add((features["image/format"][0].decode(), row["format"]))
    assert formats == {("JPEG", "JPEG"), ("PNG", "PNG")}
    names = (project.results / "tfrecord" / "image-class-label.labels.txt").read_text().split()
    assert names == [entry.wnid for entry in WORLD.classes]


SUBSET = [WORLD.classes[index].wnid for index in (5, 1, 3)]


@pytest.mark.parametrize(("labels", "indices"), [("original", [1, 3, 5]), ("renumbered", [0, 1, 2])])
def test_a_subset_is_a_subset_of_every_product(labels: str, indices: list[int], project: Project) -> None:
    (project.folder / "wnids.txt").write_text("# a choice\n" + "\n".join(SUBSET) + "\n")
    changes = {"classes": "wnids.txt", "subset_labels": labels, "tfrecord": {"train_shards": 2}}
    maker = Maker(project, changes)
    for table in ("labels", "image_table", "bboxes", "multilabel"):
        maker.make(table)
    for name in ("imagefolder", "tfrecord", "tfrecord_index", "archive_index"):
        for step, subject in SPLIT_PRODUCTS[name].known_by(maker.config):
            maker.make(step, subject)
        for split in SPLIT_PRODUCTS[name].splits_in_use(maker.config):
            maker.make(LEFTOVERS, f"{name}-{split}")
    expect_subset(project, indices)
    audit = Audit(maker.config, maker.config["products"], [split.name for split in ILSVRC2012.splits.values()], 1)
    audit.run()
    assert [problem.text for check in audit.checks for problem in check.problems] == []


def expect_subset(project: Project, indices: list[int]) -> None:
    """Every product is of the three classes alone, which have these indices."""
    wnids = sorted(SUBSET)
    results = project.results
    numbered = dict(zip(wnids, indices, strict=True))
    images = pd.read_parquet(results / "tables" / "images.parquet")
    labelled = images[images["split"].isin(["train", "validation"])]
    assert set(zip(labelled["wnid"], labelled["class_index"], strict=True)) == set(numbered.items())
    for tree in ("train", "val"):
        assert sorted(path.name for path in (results / "imagefolder" / tree).iterdir()) == wnids
    for split in ("train", "validation"):
        chosen = {image.filename: image.label.wnid for image in WORLD.images(split) if image.label.wnid in numbered}
        records = read_split(results / "tfrecord", split)
        assert {name: record["image/class/synset"][0].decode() for name, record in records.items()} == chosen
        assert all(record["image/class/label"] == [numbered[chosen[name]] + 1] for name, record in records.items())
    boxes = pd.read_parquet(results / "tables" / "bboxes.parquet")
    assert set(boxes["image_wnid"]) == set(wnids)
    multilabel = pd.read_parquet(results / "tables" / "multilabel.parquet")
    assert set(multilabel["original_label"]) <= set(indices)
    assert {label for labels in multilabel["correct_multi_labels"] for label in labels} <= set(indices)
    classes = pd.read_csv(results / "labels" / "classes.csv")
    assert dict(zip(classes["wnid"], classes["class_index"], strict=True)) == numbered
    validation = pd.read_csv(results / "labels" / "val_labels.csv")
    assert set(validation["wnid"]) == set(wnids)
    assert len((results / "labels" / "val_index.txt").read_text().split()) == len(validation)
    names = (results / "tfrecord" / "image-class-label.labels.txt").read_text().split()
    assert [names[numbered[wnid] + 1] for wnid in wnids] == wnids


def test_the_receipts_hold_checksum_size_and_number_of_members_and_no_time(finished: Project) -> None:
    receipt = json.loads((finished.results / "verified" / "val.json").read_text())
    path = finished.archives / "ILSVRC2012_img_val.tar"
    md5 = subprocess.run(["md5sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert receipt == {
        "name": "val",
        "file": path.name,
        "bytes": path.stat().st_size,
        "md5": md5,
        "expected": None,
        "members": WORLD.count("validation"),
        "format_version": SCAN_VERSION,
    }


def test_one_split_alone_needs_only_its_own_archives(tmp_path: Path, finished: Project) -> None:
    config = yaml.safe_load((finished.folder / "test.yaml").read_text())
    project = Project(tmp_path, merged(config, {"synthetic": None, "classes": [e.wnid for e in WORLD.classes]}))
    project.archives.mkdir()
    for name in ("ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz", "ILSVRC2012_bbox_val_v3.tgz"):
        (project.archives / name).symlink_to(finished.archives / name)
    project.succeed("imagefolder_validation", "tfrecord_validation", "labels")
    files = {path.name for path in (project.results / "imagefolder" / "val").rglob("*.JPEG")}
    assert files == {image.filename for image in WORLD.images("validation")}
    assert read_split(project.results / "tfrecord", "validation").keys() == files
    assert not (project.results / "imagefolder" / "train").exists()
