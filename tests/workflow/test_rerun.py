"""What a second run does: nothing, or just what is stale."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clones import wnids
from project import Project

REVERIFY = {"link_archives", "fetch_archive", "scan_archive", "verify_archive", "all"}


def folders(project: Project) -> list[Path]:
    return sorted((project.results / "imagefolder" / "train").iterdir())


def test_folders_with_new_times_as_copies_have_and_other_sizes_of_jobs_leave_nothing_to_do(project: Project) -> None:
    for folder in folders(project):
        os.utime(folder)
    project.configure({"jobs": {"imagefolder_classes": 2, "tfrecord_shards": 3, "index_shards": 1}})
    before = project.times()
    assert project.run().nothing_done
    assert project.times() == before


def test_what_was_deleted_comes_back_with_what_was_made_in_its_batch_at_most(project: Project) -> None:
    products, times = project.products(), project.times()
    first, *following = folders(project)
    shutil.rmtree(first)
    index = "tfrecord_index/validation-00001-of-00002"
    tables = ("labels/classes.csv", "tables/images.parquet", "tables/bboxes.parquet")
    for name in ("tfrecord/train-00001-of-00004", index, *tables):
        (project.results / name).unlink()
    project.succeed()
    assert project.products() == products
    remade = {path for path, time in project.times().items() if times[path] != time}
    batch = {folder.name for folder in [first, *following[:2]]}
    assert {path.split("/")[2] for path in remade if path.startswith("imagefolder/")} <= batch
    # No shard of validation: neither for its index, nor for a table.
    assert {path for path in remade if path.startswith(("tfrecord/train", "tfrecord/val"))} <= {
        "tfrecord/train-00000-of-00004",
        "tfrecord/train-00001-of-00004",
    }


def test_touched_moved_and_linked_archives_and_changed_scripts_redo_no_product(own: Project, tmp_path: Path) -> None:
    times, train = own.times(), "ILSVRC2012_img_train.tar"
    moved = own.archives.rename(own.folder / "moved")
    own.configure({"archives_dir": "moved"})
    os.utime(moved / train)
    link, elsewhere = moved / "ILSVRC2012_img_val.tar", tmp_path / "elsewhere.tar"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    archives = {path.name: path.stat().st_mtime_ns for path in moved.iterdir()}
    for script in ("fetch_archives", "scan_archive", "verify_archive", "write_tfrecord"):
        with (own.folder / "workflow" / "scripts" / f"{script}.py").open("a") as file:
            file.write("\n# A remark.\n")
    run = own.succeed()
    assert "Verify archive train and find its images" in run.log
    assert run.rules <= REVERIFY
    assert own.times() == times
    assert {path.name: path.stat().st_mtime_ns for path in moved.iterdir()} == archives
    assert own.run().nothing_done


def test_a_smaller_choice_of_classes_leaves_no_folder_of_the_others_and_no_file_of_the_users(project: Project) -> None:
    tree = project.results / "imagefolder" / "val"
    gone, *_ = sorted(tree.iterdir())
    mine, lookalike = gone / "mine.txt", gone / "ILSVRC2012_val_00999999.JPEG"
    mine.write_text("mine")
    lookalike.write_text("mine too")
    chosen = wnids(project)[2:4]
    project.configure({"classes": chosen, "products": ["imagefolder", "audit"], "use": ["val", "devkit", "bbox_val"]})
    run = project.run()
    assert run.code != 0, "a file that no product of this configuration has fails the audit"
    assert str(gone.relative_to(project.folder)) in run.terminal
    assert sorted(path.name for path in gone.iterdir()) == sorted([mine.name, lookalike.name])
    assert mine.read_text() == "mine"
    shutil.rmtree(gone)
    project.succeed()
    assert sorted(path.name for path in tree.iterdir()) == chosen
    vouched_for = (project.results / "SHA256SUMS").read_text()
    assert "tables/images.parquet" in vouched_for
    assert "tables/bboxes.parquet" not in vouched_for, "it is no product any more, and still of all classes"


def test_archives_no_longer_in_use_leave_nothing_in_the_products(own: Project) -> None:
    archives = {path: path.stat().st_mtime_ns for path in own.archives.iterdir()}
    own.configure({"use": ["val", "devkit"]})
    own.succeed()
    assert [path.name for path in (own.results / "imagefolder").iterdir()] == ["val"]
    assert not list((own.results / "tfrecord").glob("train-*"))
    assert {path: path.stat().st_mtime_ns for path in own.archives.iterdir()} == archives
