"""What holds for the synthetic archives as a whole: determinism, sizes from tiny to 1000 classes, failures."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.synthetic import Settings, plan, synthesize
from imagenet_prep.synthetic import archives as archives_module
from synthetic.truth import truth_of

NAMES = ("train", "train_t3", "val", "test", "devkit", "bbox_train", "bbox_val", "multilabel", "real_labels")
SMALL = Settings(
    seed=3,
    classes=5,
    train_images_per_class=8,
    val_images_per_class=2,
    test_images=3,
    train_t3_classes=2,
    train_t3_images_per_class=3,
    max_side=80,
)


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def write_all(folder: Path, settings: Settings) -> dict[str, str]:
    synthesize({name: folder / name for name in NAMES}, settings)
    return checksums(folder)


def test_another_process_with_other_hashes_writes_the_same_bytes(tmp_path):
    program = (
        "import sys; from pathlib import Path; from imagenet_prep.synthetic import Settings, synthesize\n"
        f"synthesize({{name: Path(sys.argv[1]) / name for name in reversed({NAMES!r})}}, {SMALL!r})"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "theirs")], check=True, env=environment)
    assert checksums(tmp_path / "theirs") == write_all(tmp_path / "ours", SMALL)


def test_one_archive_alone_has_the_same_bytes_as_among_all(tmp_path):
    whole = write_all(tmp_path / "whole", SMALL)
    synthesize({"bbox_train": tmp_path / "alone" / "bbox_train"}, SMALL)
    assert checksums(tmp_path / "alone") == {"bbox_train": whole["bbox_train"]}


def test_another_seed_gives_other_archives(tmp_path):
    one, other = write_all(tmp_path / "one", SMALL), write_all(tmp_path / "other", replace(SMALL, seed=4))
    assert all(one[name] != other[name] for name in NAMES)


def test_the_size_of_what_is_kept_in_memory_changes_no_byte(tmp_path, monkeypatch):
    synthesize({"train": tmp_path / "in_memory"}, SMALL)
    monkeypatch.setattr(archives_module, "_IN_MEMORY", 1)
    synthesize({"train": tmp_path / "spilled"}, SMALL)
    assert (tmp_path / "in_memory").read_bytes() == (tmp_path / "spilled").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in_memory", "spilled"]


@pytest.mark.parametrize("name", ["devkit", "bbox_train", "bbox_val"])
def test_gzip_and_tar_headers_hold_neither_time_nor_name(tmp_path, name):
    synthesize({name: tmp_path / name}, SMALL)
    data = (tmp_path / name).read_bytes()
    assert data[3:8] == bytes(5)  # no flags (so no name), no time: RFC 1952
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(1339632000, 0, "")}


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_a_tiny_world_has_every_archive_and_the_first_of_the_odd_kinds(tmp_path, classes):
    settings = replace(SMALL, classes=classes, train_t3_classes=1, val_images_per_class=1)
    synthesize({name: tmp_path / name for name in NAMES}, settings)
    truth = truth_of(plan(settings))
    assert truth.images["validation"] == classes
    odd = list(truth.kinds["train"].elements())
    assert 0 < sum(kind != "rgb" for kind in odd) <= len(odd) // 2
    assert {"cmyk_inverted", "cmyk", "png"} <= set(odd)


def test_two_classes_of_eight_images_have_the_documented_kinds():
    world = plan(replace(SMALL, classes=2, train_images_per_class=8))
    kinds = Counter(image.kind for image in world.images("train"))
    assert kinds >= Counter({"cmyk_inverted": 1, "cmyk": 1, "png": 1, "grayscale": 2})


def test_more_classes_keep_the_earlier_ones_and_add_made_up_ones():
    few, many = (plan(replace(SMALL, classes=classes)) for classes in (24, 60))
    assert {label.wnid for label in few.classes} < {label.wnid for label in many.classes}
    added = {label.words for label in many.classes} - {label.words for label in few.classes}
    assert added == {f"synthetic class {number}" for number in range(25, 61)}
    assert [label.wnid for label in many.classes] == sorted(label.wnid for label in many.classes)


def test_a_thousand_classes_with_one_small_image_each_are_written(tmp_path):
    settings = Settings(5, 1000, 1, 1, 1, 10, 1, 16)
    synthesize({name: tmp_path / name for name in NAMES}, settings)
    truth = truth_of(plan(settings))
    assert truth.images == {"train": 1000, "validation": 1000, "test": 1, "train_t3": 10}
    with tarfile.open(tmp_path / "train") as tar:
        assert len(tar.getnames()) == 1000


@given(
    st.builds(
        Settings,
        seed=st.integers(0, 2**32 - 1),
        classes=st.integers(2, 45),
        train_images_per_class=st.integers(1, 12),
        val_images_per_class=st.integers(1, 4),
        test_images=st.integers(1, 9),
        train_t3_classes=st.integers(1, 2),
        train_t3_images_per_class=st.integers(1, 4),
        max_side=st.integers(16, 600),
    )
)
def test_names_are_unique_and_objects_lie_apart_within_their_image_whatever_the_settings(settings):
    world = plan(settings)
    for split in ("train", "validation", "test", "train_t3"):
        images = list(world.images(split))
        assert len({image.filename for image in images}) == len(images) == world.count(split)
        for image in images:
            assert max(image.width, image.height) <= settings.max_side
            for place, box in enumerate(image.objects):
                assert 0 <= box.xmin < box.xmax < image.width
                assert 0 <= box.ymin < box.ymax < image.height
                assert all(
                    box.xmax < other.xmin or other.xmax < box.xmin or box.ymax < other.ymin or other.ymax < box.ymin
                    for other in image.objects[:place]
                )


def test_images_of_a_class_are_planned_alike_alone_and_in_their_turn():
    world = plan(SMALL)
    wnids = [label.wnid for label in world.classes]
    alone = [image for wnid in reversed(wnids) for image in world.class_images("train", wnid)]
    assert sorted(alone, key=lambda image: image.filename) == sorted(
        world.images("train"), key=lambda image: image.filename
    )


def test_a_failure_on_the_way_leaves_nothing_half_made(tmp_path, monkeypatch):
    drawn = []

    def fail_at_the_fifth(image):
        drawn.append(image)
        if len(drawn) == 5:
            raise OSError("disk full")
        return b"image"

    monkeypatch.setattr(archives_module, "encode", fail_at_the_fifth)
    with pytest.raises(OSError, match="disk full"):
        synthesize({"val": tmp_path / "val"}, SMALL)
    assert not list(tmp_path.iterdir())
