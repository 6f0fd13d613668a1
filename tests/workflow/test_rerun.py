"""What a second run does: nothing, or just what is stale."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from project import Project, merged

RECORDS = {"plan_shards", "write_tfrecord", "describe_tfrecord", "write_tfrecord_index", "remove_leftovers"}
FOLDERS = {"write_imagefolder", "remove_leftovers"}
AUDIT = {"audit_products", "write_page", "all", "audit"}
REVERIFY = {"fetch_archive", "scan_archive", "verify_archive", "all"}


def train(project: Project) -> Path:
    return project.archives / "ILSVRC2012_img_train.tar"


def folders(project: Project) -> list[Path]:
    return sorted((project.results / "imagefolder" / "train").iterdir())


def below(project: Project, *products: str) -> dict[str, int]:
    """The modification times of these products."""
    return {path: time for path, time in project.times().items() if path.startswith(products)}


def wnids(project: Project) -> list[str]:
    lines = (project.results / "labels" / "wnid_to_index.txt").read_text().splitlines()
    return [line.split()[0] for line in lines]


@pytest.fixture(scope="module")
def own_made(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose archives the workflow did not make itself, made on one core and cut into other jobs."""
    config = yaml.safe_load((finished.folder / "test.yaml").read_text())
    jobs = {"imagefolder_classes": 1, "imagefolder_val_classes": 4, "tfrecord_shards": 3, "index_shards": 1}
    changes = {"synthetic": None, "classes": wnids(finished), "jobs": jobs}
    project = Project(tmp_path_factory.mktemp("own_made"), merged(config, changes))
    shutil.copytree(finished.archives, project.archives)
    project.succeed(cores=1)
    return project


@pytest.fixture
def own(own_made: Project, tmp_path: Path) -> Project:
    """A copy of that."""
    return own_made.copy(tmp_path / "own")


def test_a_second_run_has_nothing_to_do_though_folders_have_new_times_as_copies_do_and_jobs_another_size(
    project: Project,
) -> None:
    for folder in folders(project):
        os.utime(folder)
    project.configure({"jobs": {"imagefolder_classes": 2, "tfrecord_shards": 3, "index_shards": 1}})
    before = project.times()
    assert project.run().nothing_done
    assert project.times() == before


def test_other_shard_counts_and_val_dirs_redo_what_is_named_by_them_and_changed_back_give_the_first_bytes(
    project: Project,
) -> None:
    products = project.products()
    others = ("imagefolder/t", "tfrecord/validation-", "tfrecord_index/validation-", "tables/", "labels/")
    times = below(project, *others)
    project.configure({"tfrecord": {"train_shards": 3}, "imagefolder": {"val_dirs": "index"}})
    run = project.succeed("audit")
    assert run.rules <= RECORDS | FOLDERS | AUDIT
    for product in ("tfrecord", "tfrecord_index"):
        names = sorted(path.name for path in (project.results / product).glob("train-*"))
        assert names == [f"train-{shard:05d}-of-00003" for shard in range(3)]
    val = project.results / "imagefolder" / "val"
    assert sorted(path.name for path in val.iterdir()) == [f"{index:03d}" for index in range(6)]
    assert below(project, *others) == times, "neither the shards of validation nor the folders of the other splits"

    project.configure({"tfrecord": {"train_shards": 4}, "imagefolder": {"val_dirs": "wnid"}})
    next(folders(project)[1].iterdir()).unlink()  # A deleted image file comes back, too.
    project.succeed()
    assert sorted(path.name for path in val.iterdir()) == wnids(project)
    assert project.products() == products


TABLES = ["labels/classes.csv", "tables/images.parquet", "tables/bboxes.parquet"]
INDEX = "tfrecord_index/validation-00001-of-00002"


@pytest.mark.parametrize(
    ("targets", "others"),
    [
        ((), TABLES),
        (("imagefolder", "tfrecord", "tfrecord_index"), [INDEX]),
        (("imagefolder_train", "tfrecord_train"), []),
    ],
    ids=["everything", "of every split", "of the training set"],
)
def test_a_deleted_class_folder_shard_index_or_table_comes_back_and_what_was_made_in_its_batch_with_it_at_most(
    project: Project, targets: tuple[str, ...], others: list[str]
) -> None:
    products, times = project.products(), project.times()
    first, *following = folders(project)
    shutil.rmtree(first)
    for name in ("tfrecord/train-00001-of-00004", *others):
        (project.results / name).unlink()
    project.succeed(*targets)
    assert project.products() == products
    remade = {path for path, time in project.times().items() if times[path] != time}
    batch = {folder.name for folder in [first, *following[:2]]}
    assert {path.split("/")[2] for path in remade if path.startswith("imagefolder/")} <= batch
    # No shard of validation: neither for its index, nor for a table.
    assert {path for path in remade if path.startswith(("tfrecord/train", "tfrecord/val"))} <= {
        "tfrecord/train-00000-of-00004",
        "tfrecord/train-00001-of-00004",
    }
    assert INDEX in others or not any(path.startswith("tfrecord_index/validation") for path in remade)


def test_an_archive_that_is_touched_or_moved_elsewhere_and_linked_is_at_most_verified_again(
    project: Project, tmp_path: Path
) -> None:
    times = project.times()
    os.utime(train(project))
    link, elsewhere = project.archives / "ILSVRC2012_img_val.tar", tmp_path / "elsewhere.tar"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    run = project.succeed()
    assert "Verify archive train and find its images" in run.log
    assert run.rules <= REVERIFY
    assert project.times() == times
    assert elsewhere.is_file()
    assert project.run().nothing_done


def test_neither_another_archives_dir_with_the_same_archives_nor_a_changed_script_redoes_a_product(
    project: Project,
) -> None:
    times = project.times()
    archives = {path.name: path.stat().st_mtime_ns for path in project.archives.iterdir()}
    moved = project.archives.rename(project.folder / "moved")
    project.configure({"archives_dir": "moved"})
    for script in ("fetch_archive", "scan_archive", "verify_archive", "write_tfrecord"):
        with (project.folder / "workflow" / "scripts" / f"{script}.py").open("a") as file:
            file.write("\n# A remark.\n")
    assert project.succeed().rules <= REVERIFY
    assert project.times() == times
    assert {path.name: path.stat().st_mtime_ns for path in moved.iterdir()} == archives


def test_an_archive_taken_away_after_everything_was_made_is_not_asked_for(own: Project) -> None:
    train(own).unlink()
    assert own.run().nothing_done


def test_an_archive_with_other_content_redoes_what_is_made_of_it(own: Project) -> None:
    times = own.times()
    path = own.archives / "human_accuracy_v3.0.0.json"
    path.write_text(path.read_text() + "\n")
    run = own.succeed()
    assert "tabulate_multilabel" in run.rules
    assert not run.rules & {"write_tfrecord", "write_imagefolder"}
    assert own.times()["tables/multilabel.parquet"] != times["tables/multilabel.parquet"]


def test_a_raised_format_version_redoes_that_product_and_what_follows(project: Project) -> None:
    module = project.folder / "workflow" / "imagenet_prep" / "products" / "tfrecord.py"
    raised, times = re.subn(r"^    version = (\d+)$", r"    version = 1\1", module.read_text(), flags=re.MULTILINE)
    assert times == 1
    module.write_text(raised)
    run = project.succeed("audit")
    assert "write_tfrecord" in run.rules
    assert run.rules <= RECORDS | AUDIT


def test_a_smaller_choice_of_classes_leaves_no_folder_of_the_others_and_no_file_of_the_users(project: Project) -> None:
    gone, *_ = folders(project)
    mine = gone / "mine.txt"
    mine.write_text("mine")
    lookalike = gone / f"{gone.name}_999999.JPEG"
    lookalike.write_text("mine too")
    chosen = wnids(project)[2:4]
    project.configure({"classes": chosen, "products": ["imagefolder", "audit"]})
    run = project.run()
    assert run.code != 0, "a file that no product of this configuration has fails the audit"
    assert str(gone.relative_to(project.folder)) in run.terminal
    assert sorted(path.name for path in gone.iterdir()) == sorted([mine.name, lookalike.name])
    assert mine.read_text() == "mine"
    shutil.rmtree(gone)
    project.succeed()
    for tree in ("train", "val"):
        assert sorted(path.name for path in (project.results / "imagefolder" / tree).iterdir()) == chosen
    vouched_for = (project.results / "SHA256SUMS").read_text()
    assert "tables/images.parquet" in vouched_for
    assert "tables/bboxes.parquet" not in vouched_for, "it is no product any more, and still of all classes"


def test_other_cores_and_job_sizes_give_the_same_bytes(own_made: Project, finished: Project) -> None:
    page = "report/index.html"
    assert own_made.products() | {page: ""} == finished.products() | {page: ""}
    # The page alone says that these are one's own archives, and that the choice of classes is one's own.
    own = ("<title>", 'class="name"', '"overview-title"', 'class="lead"', "<dt>classes<", "<dt>synthetic images<")
    pages = [(project.results / page).read_text().splitlines() for project in (own_made, finished)]
    same, others = ([line for line in lines if not any(words in line for words in own)] for lines in pages)
    assert same == others


def test_a_relinked_archive_does_not_hide_another_change(own: Project) -> None:
    own.archives.rename(own.folder / "moved")
    own.configure({"archives_dir": "moved", "tfrecord": {"train_shards": 3}})
    assert own.succeed().rules <= REVERIFY | RECORDS | AUDIT
    assert len(list((own.results / "tfrecord").glob("train-*-of-00003"))) == 3
    assert own.run().nothing_done


def test_archives_no_longer_in_use_leave_nothing_in_the_products(own: Project) -> None:
    archives = {path: path.stat().st_mtime_ns for path in own.archives.iterdir()}
    own.configure({"use": ["val", "devkit", "bbox_val", "multilabel"]})
    own.succeed()
    assert [path.name for path in (own.results / "imagefolder").iterdir()] == ["val"]
    for product in ("tfrecord", "tfrecord_index"):
        assert not list((own.results / product).glob("train-*"))
    assert {path: path.stat().st_mtime_ns for path in own.archives.iterdir()} == archives
