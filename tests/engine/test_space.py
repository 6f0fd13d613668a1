"""The space that products need: held against what the workflow makes, and against the published figures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagenet_prep import configuration
from imagenet_prep.engine import existing, space, space_check
from imagenet_prep.engine.space import ARCHIVE, REST, Existing, Part, SpaceNeed
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import FileSystem
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from project import Project, merged

IMAGEFOLDER, TFRECORD, TFRECORD_INDEX = "imagefolder", "tfrecord", "tfrecord_index"
TFRECORD_MULTILABEL = "tfrecord_multilabel"
GB = 10**9
NOTHING = Existing()


def needs(config: dict[str, Any], there: Existing, parts: list[Part] | None = None) -> list[SpaceNeed]:
    return space.needs(config, SPLIT_PRODUCTS, there, parts)


def configured_parts(config: dict[str, Any]) -> set[Part]:
    return set(space.configured_parts(config, SPLIT_PRODUCTS))


def look(config: dict[str, Any]) -> Existing:
    return existing.look(config, SPLIT_PRODUCTS)


def real(checkout: Path, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    config = yaml.safe_load((checkout / "config" / "config.yaml").read_text())
    return configuration.complete(merged(config, changes or {}), checkout)


def of(project: Project, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The configuration of a project, with the paths that it has there."""
    config = yaml.safe_load((project.folder / "config" / "config.yaml").read_text())
    mine = yaml.safe_load((project.folder / "test.yaml").read_text())
    config = merged(merged(config, mine), changes or {})
    config |= {"output_dir": str(project.results), "archives_dir": str(project.archives)}
    return configuration.complete(config, project.folder)


def by_part(needed: list[SpaceNeed]) -> dict[tuple[str, str], SpaceNeed]:
    return {need.part: need for need in needed}


def filled(path: Path) -> int:
    """Bytes that a file or folder with all in it fills on the disk."""
    return sum(each.stat().st_blocks * 512 for each in (path, *path.rglob("*")))


def seen(project: Project) -> Existing:
    return look(of(project))


# The real one.


@pytest.mark.parametrize(
    ("part", "nbytes", "files"),
    [
        ((ARCHIVE, "train"), 147_897_477_120, 1),
        ((ARCHIVE, "val"), 6_744_924_160, 1),
        ((IMAGEFOLDER, "train"), 149.5 * GB, 1_281_167 + 1000 + 1),
        ((IMAGEFOLDER, "validation"), 6.8 * GB, 50_000 + 1000 + 1),
        ((TFRECORD, "train"), 147.0 * GB, 1024),
        ((TFRECORD, "validation"), 6.7 * GB, 128),
        ((TFRECORD_INDEX, "train"), 25_000_000, 1024),
        ((TFRECORD_MULTILABEL, "validation"), 6.7 * GB * 20_000 / 50_000, 128),
        ((TFRECORD_MULTILABEL, "imagenet_m"), 6.7 * GB * 68 / 50_000, 1),
    ],
)
def test_the_real_set_needs_what_is_known(checkout: Path, part: tuple[str, str], nbytes: float, files: int) -> None:
    config = real(checkout, {"products": ["imagefolder", "tfrecord_index", "tfrecord_multilabel"]})
    need = by_part(needs(config, NOTHING))[part]
    assert need.nbytes == pytest.approx(nbytes, rel=0.02)
    assert need.files == files


def test_everything_else_of_the_real_dataset_stays_below_one_gigabyte(checkout: Path) -> None:
    need = by_part(needs(real(checkout), NOTHING))[REST, ""]
    assert need.nbytes < GB
    assert need.files < 5000


def test_the_archives_of_unknown_size_need_about_as_much_as_their_pages_say(checkout: Path) -> None:
    used = {"use": ["devkit", "test", "train_t3", "bbox_train", "bbox_val"]}
    found = by_part(needs(real(checkout, {**used, "products": ["imagefolder"]}), NOTHING))
    assert found[ARCHIVE, "test"].nbytes == 13 * GB
    assert found[IMAGEFOLDER, "test"].files == 100_001
    assert found[ARCHIVE, "bbox_train"].nbytes == 20_000_000


def test_an_archive_that_lies_there_gives_the_figures_itself(checkout: Path) -> None:
    config = real(checkout, {"use": ["devkit", "test"], "products": ["imagefolder"]})
    found = by_part(needs(config, Existing(archives={"test": 26 * GB}, images={"test": 7})))
    assert (ARCHIVE, "test") not in found
    assert found[IMAGEFOLDER, "test"].files == 8
    assert found[IMAGEFOLDER, "test"].nbytes == pytest.approx(26 * GB, rel=0.02)


def test_a_choice_of_classes_needs_its_share_of_the_products_and_all_of_the_archives(checkout: Path) -> None:
    whole = by_part(needs(real(checkout), NOTHING))
    few = by_part(needs(real(checkout, {"classes": [f"n{n:08d}" for n in range(100)]}), NOTHING))
    assert few[ARCHIVE, "train"] == whole[ARCHIVE, "train"]
    for kind in (IMAGEFOLDER, TFRECORD):
        for split in ("train", "validation"):
            assert few[kind, split].nbytes == pytest.approx(whole[kind, split].nbytes / 10, rel=0.02)
    assert few[IMAGEFOLDER, "validation"].files == 5000 + 100 + 1


def test_an_archive_of_the_chosen_classes_alone_is_needed_as_a_whole(checkout: Path) -> None:
    config = real(checkout, {"classes": [f"n{n:08d}" for n in range(100)], "archives": {"train": {"bytes": None}}})
    found = by_part(needs(config, Existing(archives={"train": 15 * GB}, images={"train": 128_000})))
    assert found[IMAGEFOLDER, "train"].nbytes == pytest.approx(15 * GB, rel=0.05)


def test_a_file_fills_whole_blocks(checkout: Path) -> None:
    small, large = (by_part(needs(real(checkout), Existing(block=block))) for block in (512, 65536))
    more = large[IMAGEFOLDER, "train"].nbytes - small[IMAGEFOLDER, "train"].nbytes
    assert more == pytest.approx(1_281_167 * (65536 - 512) / 2, rel=0.02)


# What is chosen.


@pytest.mark.parametrize(
    ("products", "kinds"),
    [
        (["imagefolder"], {IMAGEFOLDER}),
        (["tfrecord"], {TFRECORD}),
        (["tfrecord_index"], {TFRECORD, TFRECORD_INDEX}),
        (["tfrecord_multilabel"], {TFRECORD_MULTILABEL}),
        (["labels"], set()),
        (["bboxes", "audit"], set()),
    ],
)
def test_only_the_chosen_products_are_counted(checkout: Path, products: list[str], kinds: set[str]) -> None:
    parts = configured_parts(real(checkout, {"products": products}))
    assert {kind for kind, _ in parts} - {ARCHIVE, REST} == kinds


def test_only_the_archives_in_use_are_counted(checkout: Path) -> None:
    parts = configured_parts(real(checkout, {"use": ["val", "devkit"], "products": ["imagefolder", "tfrecord"]}))
    assert parts == {
        (ARCHIVE, "val"),
        (ARCHIVE, "devkit"),
        (IMAGEFOLDER, "validation"),
        (TFRECORD, "validation"),
        (REST, ""),
    }


def test_the_parts_of_a_run_are_counted_and_no_others(checkout: Path) -> None:
    parts = [(IMAGEFOLDER, "validation"), (ARCHIVE, "val")]
    assert [need.part for need in needs(real(checkout), NOTHING, parts)] == [
        (ARCHIVE, "val"),
        (IMAGEFOLDER, "validation"),
    ]


def test_a_job_for_each_validation_class_needs_the_files_of_each_job(checkout: Path) -> None:
    changes = ({"imagefolder_val_classes": 1000}, {"imagefolder_val_classes": 1}, {"imagefolder_classes": 1})
    whole, validation, train = (
        by_part(needs(real(checkout, {"jobs": jobs}), NOTHING))[REST, ""].files for jobs in changes
    )
    assert validation - whole == 999 * 3
    assert train > whole


def test_the_advice_to_leave_a_product_out_holds_for_targets_too(checkout: Path) -> None:
    needed = needs(real(checkout), NOTHING)
    for free, advice in ((320 * GB, "targets"), (76 * GB, "imagefolder_validation")):
        file_systems = {need.path: FileSystem(1, Path("/data"), free, None) for need in needed}
        with pytest.raises(PrepError, match=advice):
            space_check.expect_enough(needed, file_systems, real(checkout), SPLIT_PRODUCTS)


# What is there already.


def test_what_is_downloaded_of_an_archive_is_not_needed_again(checkout: Path) -> None:
    found = by_part(needs(real(checkout), Existing(downloaded={"train": 100 * GB})))
    assert found[ARCHIVE, "train"].nbytes == 147_897_477_120 - 100 * GB


def test_finished_folders_and_shards_are_not_needed_again(checkout: Path) -> None:
    made = {(IMAGEFOLDER, "train"): 500, (TFRECORD, "train"): 256, (TFRECORD, "validation"): 128}
    before, found = by_part(needs(real(checkout), NOTHING)), by_part(needs(real(checkout), Existing(made=made)))
    for part, left in (((IMAGEFOLDER, "train"), 0.5), ((TFRECORD, "train"), 0.75)):
        assert found[part].nbytes == pytest.approx(before[part].nbytes * left)
        assert found[part].files == pytest.approx(before[part].files * left, abs=1)
    assert (TFRECORD, "validation") not in found


def test_where_everything_is_made_nothing_is_needed(finished: Project) -> None:
    assert needs(of(finished), seen(finished)) == []


def test_an_archive_taken_away_after_everything_was_made_is_not_needed(project: Project) -> None:
    (project.archives / "ILSVRC2012_img_train.tar").unlink()
    assert needs(of(project), seen(project)) == []
    shutil.rmtree(project.results / "imagefolder" / "test")
    assert (ARCHIVE, "train") in by_part(needs(of(project), seen(project)))


def test_what_was_deleted_is_needed(project: Project) -> None:
    shutil.rmtree(next((project.results / IMAGEFOLDER / "train").iterdir()))
    for shard in range(2):
        (project.results / TFRECORD / f"train-0000{shard}-of-00004").unlink()
    found = by_part(needs(of(project), seen(project)))
    assert set(found) == {(IMAGEFOLDER, "train"), (TFRECORD, "train")}
    assert found[TFRECORD, "train"].files == 2


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"tfrecord": {"train_shards": 3}}, {(TFRECORD, "train"), (TFRECORD_INDEX, "train")}),
        ({"imagefolder": {"val_dirs": "index"}}, {(IMAGEFOLDER, "validation")}),
        ({"jobs": {"tfrecord_shards": 1}}, set()),
    ],
    ids=["other shards", "other folders", "other jobs"],
)
def test_older_products_do_not_count(finished: Project, changes: dict[str, Any], parts: set[tuple[str, str]]) -> None:
    config = of(finished, changes)
    assert set(by_part(needs(config, look(config)))) == parts


@pytest.mark.parametrize("damaged", ["[", "[]", "", '{"members": []}'])
def test_a_damaged_receipt_of_an_archive_counts_for_nothing(project: Project, damaged: str) -> None:
    (project.results / "verified" / "train.json").write_text(damaged)
    assert "train" not in seen(project).images
    assert "validation" in seen(project).images


def test_an_archive_that_will_be_linked_needs_no_space(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.tar"
    (project.archives / "ILSVRC2012_img_val.tar").rename(elsewhere)
    for local, there in (("link", True), ("copy", False)):
        changes = {"archives": {"val": {"url": elsewhere.as_uri()}}, "download": {"local": local}}
        assert ("val" in look(of(project, changes)).archives) is there


def test_archives_that_go_into_another_folder_are_needed_there(checkout: Path) -> None:
    found = by_part(needs(real(checkout), Existing(places={"train": Path("spare")})))
    assert found[ARCHIVE, "train"].path == Path("spare")
    assert found[ARCHIVE, "val"].path == Path("archives")


# The made-up one: what is estimated is what is made.


def test_the_synthetic_archives_are_of_the_size_that_was_estimated(finished: Project) -> None:
    config = of(finished)
    for need in needs(config, NOTHING, [(ARCHIVE, name) for name in config["use"]]):
        size = (finished.archives / config["archives"][need.part[1]]["file"]).stat().st_size
        assert size / 3 < need.nbytes < size * 3 + 10_000, need


@pytest.mark.parametrize(
    ("kind", "split"),
    [
        *((IMAGEFOLDER, split) for split in ("train", "validation", "test", "train_t3")),
        *((kind, split) for kind in (TFRECORD, TFRECORD_INDEX) for split in ("train", "validation")),
    ],
)
def test_what_is_made_is_what_was_estimated_of_the_archives(finished: Project, kind: str, split: str) -> None:
    config, there = of(finished), seen(finished)
    known = Existing(archives=there.archives, images=there.images, block=there.block)
    (need,) = needs(config, known, [(kind, split)])
    if kind == IMAGEFOLDER:
        tree = finished.results / "imagefolder" / {"validation": "val"}.get(split, split)
        files, nbytes = 1 + len(list(tree.rglob("*"))), filled(tree)
    else:
        shards = list((finished.results / kind).glob(f"{split}-*"))
        files, nbytes = len(shards), sum(map(filled, shards))
    assert need.files == files
    assert nbytes / 2 < need.nbytes < nbytes * 2


def test_the_rest_is_about_what_was_estimated(finished: Project) -> None:
    (need,) = needs(of(finished), NOTHING, [(REST, "")])
    made = [finished.results / name for name in ("tables", "labels", "logs", "benchmarks", "state", "verified")]
    assert sum(map(filled, made)) / 3 < need.nbytes < sum(map(filled, made)) * 3
    files = sum(1 for folder in made for _ in folder.rglob("*"))
    assert files / 2 < need.files < files * 2
