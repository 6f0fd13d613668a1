"""What a second run does: nothing, or just what is stale."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from project import Project

RECORDS = {"plan_shards", "write_shards", "complete_shards", "describe_records", "index_shards", "complete_indexes"}
AUDIT = {"audit_products", "write_page", "all"}
REVERIFY = {"fetch_archive", "scan_archive", "verify_archive", "all"}


def train(project: Project) -> Path:
    return project.archives / "ILSVRC2012_img_train.tar"


def folders(project: Project) -> list[Path]:
    return sorted((project.results / "imagefolder" / "train").iterdir())


def test_a_second_run_has_nothing_to_do(project: Project) -> None:
    before = project.times()
    assert project.run().nothing_done
    assert project.times() == before


def test_a_copied_project_has_nothing_to_do_though_the_times_of_its_folders_are_new(project: Project) -> None:
    for folder in folders(project):
        os.utime(folder)
    assert project.run().nothing_done


def test_another_shard_count_redoes_the_records_and_leaves_no_old_shard(project: Project) -> None:
    tree = {path: time for path, time in project.times().items() if path.startswith("imagefolder/")}
    project.configure({"tfrecord": {"train_shards": 3}})
    run = project.succeed()
    assert run.rules <= RECORDS | AUDIT
    for product in ("tfrecord", "tfrecord_index"):
        names = sorted(path.name for path in (project.results / product).glob("train-*"))
        assert names == [f"train-{shard:05d}-of-00003" for shard in range(3)]
    assert {path: time for path, time in project.times().items() if path.startswith("imagefolder/")} == tree
    assert project.run().nothing_done


def test_a_shard_count_changed_back_gives_the_first_bytes_again(project: Project) -> None:
    before = project.products()
    project.configure({"tfrecord": {"train_shards": 3}})
    project.succeed()
    project.configure({"tfrecord": {"train_shards": 4}})
    project.succeed()
    assert project.products() == before


@pytest.mark.parametrize("target", [(), ("imagefolder",), ("imagefolder_train",)])
def test_a_deleted_class_folder_comes_back_and_others_of_its_batch_with_it_at_most(
    project: Project, target: tuple[str, ...]
) -> None:
    products, times = project.products(), project.times()
    gone, *others = folders(project)
    shutil.rmtree(gone)
    project.succeed(*target)
    assert project.products() == products
    remade = {path for path, time in project.times().items() if times[path] != time and path.startswith("imagefolder/")}
    batch = {folder.name for folder in [gone, *others[:2]]}
    assert {path.split("/")[2] for path in remade} <= batch


def test_a_deleted_image_file_comes_back(project: Project) -> None:
    products = project.products()
    next(folders(project)[1].iterdir()).unlink()
    project.succeed()
    assert project.products() == products


@pytest.mark.parametrize("target", [(), ("tfrecords",), ("tfrecords_train",)])
def test_a_deleted_shard_comes_back_and_others_of_its_batch_with_it_at_most(
    project: Project, target: tuple[str, ...]
) -> None:
    products, times = project.products(), project.times()
    (project.results / "tfrecord" / "train-00001-of-00004").unlink()
    project.succeed(*target)
    assert project.products() == products
    remade = {path for path, time in project.times().items() if times[path] != time}
    assert {path for path in remade if path.startswith(("tfrecord/train", "tfrecord/val"))} <= {
        "tfrecord/train-00000-of-00004",
        "tfrecord/train-00001-of-00004",
    }


def test_a_deleted_index_comes_back_without_its_shard_being_made_again(project: Project) -> None:
    products, times = project.products(), project.times()
    (project.results / "tfrecord_index" / "validation-00001-of-00002").unlink()
    run = project.succeed("indexes")
    assert project.products() == products
    assert "write_shards" not in run.rules
    assert all(time == times[path] for path, time in project.times().items() if path.startswith("tfrecord/"))


@pytest.mark.parametrize("name", ["labels/classes.csv", "tables/images.parquet", "tables/bboxes.parquet"])
def test_a_deleted_table_comes_back_without_the_products_being_made_again(project: Project, name: str) -> None:
    products, times = project.products(), project.times()
    (project.results / name).unlink()
    project.succeed()
    assert project.products() == products
    made_of_images = ("imagefolder/", "tfrecord/", "tfrecord_index/")
    assert all(time == times[path] for path, time in project.times().items() if path.startswith(made_of_images))


def test_a_touched_archive_is_at_most_verified_again(project: Project) -> None:
    times = project.times()
    os.utime(train(project))
    run = project.succeed()
    assert "scan_archive" in run.rules
    assert run.rules <= REVERIFY
    assert project.times() == times
    assert project.run().nothing_done


def test_an_archive_moved_elsewhere_and_linked_is_at_most_verified_again(project: Project, tmp_path: Path) -> None:
    times = project.times()
    elsewhere = tmp_path / "elsewhere.tar"
    train(project).rename(elsewhere)
    train(project).symlink_to(elsewhere)
    assert project.succeed().rules <= REVERIFY
    assert project.times() == times
    assert elsewhere.is_file()


def test_another_archives_dir_with_the_same_archives_redoes_no_product(project: Project) -> None:
    times = project.times()
    project.archives.rename(project.folder / "moved")
    project.configure({"archives_dir": "moved"})
    assert project.succeed().rules <= REVERIFY
    assert project.times() == times


@pytest.mark.parametrize("script", ["fetch_archive", "scan_archive", "verify_archive", "write_shards"])
def test_a_changed_script_redoes_no_product_and_touches_no_archive(project: Project, script: str) -> None:
    times = project.times()
    archives = {path: path.stat() for path in project.archives.iterdir()}
    with (project.folder / "workflow" / "scripts" / f"{script}.py").open("a") as file:
        file.write("\n# A remark.\n")
    assert project.succeed().rules <= REVERIFY
    assert project.times() == times
    assert {path: path.stat().st_mtime_ns for path in project.archives.iterdir()} == {
        path: stat.st_mtime_ns for path, stat in archives.items()
    }


def test_an_archive_taken_away_after_everything_was_made_is_not_asked_for(project: Project) -> None:
    project.configure({"synthetic": None, "classes": project_wnids(project)})
    project.succeed()
    train(project).unlink()
    assert project.run().nothing_done


def project_wnids(project: Project) -> list[str]:
    lines = (project.results / "labels" / "wnid_to_index.txt").read_text().splitlines()
    return [line.split()[0] for line in lines]


def test_other_job_sizes_redo_nothing(project: Project) -> None:
    project.configure({"jobs": {"imagefolder_classes": 2, "tfrecord_shards": 3, "index_shards": 1}})
    assert project.run().nothing_done


def test_an_archive_with_other_content_redoes_what_is_made_of_it(project: Project) -> None:
    times = project.times()
    project.configure({"synthetic": None, "classes": project_wnids(project)})
    project.succeed()
    path = project.archives / "human_accuracy_v3.0.0.json"
    path.write_text(path.read_text() + "\n")
    run = project.succeed()
    assert "tabulate_multilabel" in run.rules
    assert not run.rules & {"write_shards", "write_folders"}
    assert project.times()["tables/multilabel.parquet"] != times["tables/multilabel.parquet"]


def test_a_raised_format_version_redoes_that_product_and_what_follows(project: Project) -> None:
    versions = project.folder / "workflow" / "imagenet_prep" / "versions.py"
    versions.write_text(versions.read_text().replace("TFRECORD = 1", "TFRECORD = 2"))
    run = project.succeed()
    assert "write_shards" in run.rules
    assert run.rules <= RECORDS | AUDIT


def test_a_smaller_choice_of_classes_leaves_no_folder_of_the_others_and_no_file_of_the_users(project: Project) -> None:
    gone, *_ = folders(project)
    mine = gone / "mine.txt"
    mine.write_text("mine")
    lookalike = gone / f"{gone.name}_999999.JPEG"
    lookalike.write_text("mine too")
    chosen = project_wnids(project)[2:4]
    project.configure({"classes": chosen})
    run = project.run()
    assert run.code != 0, "a file that no product of this configuration has fails the audit"
    assert str(mine.relative_to(project.folder)) in run.terminal
    assert sorted(path.name for path in gone.iterdir()) == sorted([mine.name, lookalike.name])
    assert mine.read_text() == "mine"
    shutil.rmtree(gone)
    project.succeed()
    for tree in ("train", "val"):
        assert sorted(path.name for path in (project.results / "imagefolder" / tree).iterdir()) == chosen


def test_other_val_dirs_leave_no_folder_of_the_old_naming(project: Project) -> None:
    project.configure({"imagefolder": {"val_dirs": "index"}})
    run = project.succeed()
    val = project.results / "imagefolder" / "val"
    assert sorted(path.name for path in val.iterdir()) == [f"{index:03d}" for index in range(6)]
    assert "write_shards" not in run.rules
    project.configure({"imagefolder": {"val_dirs": "wnid"}})
    project.succeed()
    assert sorted(path.name for path in val.iterdir()) == project_wnids(project)


def test_other_cores_and_job_sizes_give_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    config = yaml.safe_load((finished.folder / "test.yaml").read_text())
    config["jobs"] = {"imagefolder_classes": 1, "imagefolder_val_classes": 4, "tfrecord_shards": 3, "index_shards": 1}
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", config)
    other.succeed(cores=1)
    assert other.products() == finished.products()


def test_a_relinked_archive_does_not_hide_another_change(project: Project) -> None:
    project.archives.rename(project.folder / "moved")
    project.configure({"archives_dir": "moved", "tfrecord": {"train_shards": 3}, "synthetic": None})
    project.configure({"classes": project_wnids(project)})
    project.succeed()
    assert len(list((project.results / "tfrecord").glob("train-*-of-00003"))) == 3
    assert project.run().nothing_done


def test_archives_no_longer_in_use_leave_nothing_in_the_products(project: Project) -> None:
    archives = {path: path.stat().st_mtime_ns for path in project.archives.iterdir()}
    project.configure({"use": ["val", "devkit", "bbox_val", "multilabel"], "synthetic": None})
    project.configure({"classes": project_wnids(project)})
    project.succeed()
    assert [path.name for path in (project.results / "imagefolder").iterdir()] == ["val"]
    for product in ("tfrecord", "tfrecord_index"):
        assert not list((project.results / product).glob("train-*"))
    assert {path: path.stat().st_mtime_ns for path in project.archives.iterdir()} == archives
