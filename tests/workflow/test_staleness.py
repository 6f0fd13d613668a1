"""What is stale follows from the configuration and the disk, whatever Snakemake remembers."""

from __future__ import annotations

import re
from pathlib import Path

import clones
from project import OTHER, Project

READING = {"synthesize_archives", "link_archives", "fetch_archive", "scan_archive", "verify_archive"}
# What of the products has nothing to do with the other settings.
OTHERS = ("imagefolder/train/", "labels/", "tables/")
SEED = {"shards": {"seed": 99}}


def below(project: Project, *products: str) -> dict[str, int]:
    """The modification times of these products."""
    return {path: time for path, time in project.times().items() if path.startswith(products)}


def shards(project: Project, split: str = "validation") -> dict[str, str]:
    """The digests of the shards of a split."""
    return {path: digest for path, digest in project.products().items() if path.startswith(f"tfrecord/{split}-")}


def test_other_settings_are_noticed_and_what_follows_alone_is_made(own: Project, own_other: dict[str, str]) -> None:
    times = below(own, *OTHERS)
    clones.forget(own)
    own.configure(OTHER)
    run = own.succeed()
    assert not run.rules & READING
    assert own.products() == own_other
    assert below(own, *OTHERS) == times
    clones.forget(own)
    assert own.run().nothing_done


def test_another_setting_is_noticed_by_a_new_clone_and_by_the_old_one(own: Project, tmp_path: Path) -> None:
    products = shards(own)
    clone = clones.new_clone(own, tmp_path / "clone")
    clone.configure(SEED)
    clone.succeed("tfrecord_validation")
    assert shards(clone).keys() == products.keys()
    assert shards(clone) != products
    for name in ("archives", "results"):  # back to the first clone, whose records are of the first seed
        (clone.folder / name).rename(own.folder / name)
    own.succeed("tfrecord_validation")
    assert shards(own) == products


def test_a_raised_format_version_redoes_that_product_in_a_new_clone(own: Project, tmp_path: Path) -> None:
    products, times = own.products(), own.times()
    clone = clones.new_clone(own, tmp_path / "clone")
    module = clone.folder / "workflow" / "imagenet_prep" / "products" / "tfrecord.py"
    raised, found = re.subn(r"^    version = (\d+)$", r"    version = 1\1", module.read_text(), flags=re.MULTILINE)
    assert found == 1
    module.write_text(raised)
    run = clone.succeed("tfrecord_validation")
    assert "write_tfrecord" in run.rules
    assert not run.rules & READING
    now = clone.times()
    remade, others = "tfrecord/validation-", ("imagefolder/", "tfrecord/train-", "labels/", "tables/")
    assert [path for path in now if path.startswith(remade) and now[path] == times[path]] == []
    assert [path for path in now if path.startswith(others) and now[path] != times[path]] == []
    assert clone.products() == products
    assert clone.run("tfrecord_validation").nothing_done


def test_a_moved_output_folder_needs_no_product_made_again_and_there_another_setting_is_noticed(own: Project) -> None:
    products, times = own.products(), own.times()
    moved = own.folder / "further" / "down" / "moved"
    moved.parent.mkdir(parents=True)
    own.results.rename(moved)
    own.results = moved
    own.configure({"output_dir": "further/down/moved"})
    run = own.succeed()
    assert not run.rules & {"scan_archive", "verify_archive", "write_imagefolder", "write_tfrecord", "write_labels"}
    assert own.products() == products
    assert own.times() == times
    assert own.run().nothing_done

    own.configure(SEED)
    own.succeed("tfrecord_validation")
    assert shards(own) != {path: digest for path, digest in products.items() if path.startswith("tfrecord/validation-")}
    assert not (own.folder / "results").exists()


# Records and products that somebody deletes. What lies below state/ is named by what it is of.


def test_without_the_workflow_s_notes_settings_are_noticed(own: Project, own_other: dict[str, str]) -> None:
    clones.delete(own, "verified/*", "state/archives/*", "state/devkit/*", "state/images/*", "state/plan/*")
    clones.delete(own, "labels", "tables/images.parquet")
    own.configure(OTHER)
    own.succeed()
    assert own.products() == own_other
    assert own.run().nothing_done


def test_deleted_tables_of_the_state_come_back_and_no_image_is_written_again(own: Project) -> None:
    products, images = own.products(), ("imagefolder/", "tfrecord/train-", "tfrecord/validation-")
    kept = below(own, *images)
    clones.forget(own)
    clones.delete(own, "state/**/*.parquet")
    own.succeed()
    assert own.products() == products
    assert below(own, *images) == kept
    assert own.run().nothing_done


def test_a_deleted_scan_does_not_keep_a_deleted_label_file_from_coming_back(own: Project) -> None:
    products = own.products()
    clones.delete(own, "state/archives/val*.parquet")
    clones.delete(own, "labels/hierarchy.json")
    own.succeed()
    assert own.products() == products
