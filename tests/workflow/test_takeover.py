"""An output folder that version a846d28 has finished, in the hands of a new clone of this one."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import clones
from damage import path_of
from imagenet_prep import atomic, configuration
from imagenet_prep.engine import runs
from imagenet_prep.engine.receipts import LEFTOVERS, Name
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from imagenet_prep.products.takeover import Takeover
from products.maker import Maker
from project import CHECKOUT, Project, Run, merged

# What `archives` and `results` of commit a846d28 hold when all is made that CONFIG asks for; times to the nanosecond.
FORM_1 = CHECKOUT / "tests" / "fixtures" / "form-1.tar.gz"
CONFIG: dict[str, Any] = {
    "output_dir": "results",
    "archives_dir": "archives",
    "predictions_dir": "predictions",
    "synthetic": {
        "seed": 3,
        "classes": 5,
        "train_images_per_class": 4,
        "val_images_per_class": 2,
        "test_images": 3,
        "train_t3_classes": 1,
        "train_t3_images_per_class": 2,
        "max_side": 96,
    },
    "tfrecord": {"train_shards": 4, "validation_shards": 2},
    "jobs": {"imagefolder_classes": 3, "imagefolder_val_classes": 5, "tfrecord_shards": 2, "index_shards": 4},
}
IMAGES = ("imagefolder", "tfrecord", "tfrecord_index")
AUDITED = {"products": [*IMAGES, "bboxes", "audit"]}

READING = {"link_archives", "fetch_archive", "scan_archive", "verify_archive"}
WRITING = {"write_imagefolder", "write_tfrecord", "write_tfrecord_index"}
OF_IMAGES = ("imagefolder/", "tfrecord/train-", "tfrecord/validation-", "tfrecord_index/")
# What lies below state/ beside receipts, the tables that are named after them, and the lists of files in class folders.
OWN = {"about.json", "run.json", "run.lock", "jobs.lock", "taken_over.0.json", "taken_over.1.json"}


# What has columns of other names than in that version, or says something of what has; and tables, which had a checksum
# of their own between the last page and the footer.
OTHERWISE = {"audit.json", "SHA256SUMS"} | {
    f"labels/{name}" for name in ("classes.csv", "val_labels.csv", "hierarchy.json")
}


def as_before(products: dict[str, str]) -> dict[str, str]:
    """What has the same bytes as that version gave it."""
    kept = [path for path in products if not path.startswith("report/") and not path.endswith(".parquet")]
    return {path: products[path] for path in kept if path not in OTHERWISE}


def unpack(folder: Path) -> None:
    """Put archives and results of that version into a folder; the times of archives are in their receipts."""
    with tarfile.open(FORM_1) as packed:
        packed.extractall(folder, filter="data")
        for member in packed:
            time = int(Decimal(member.pax_headers.get("mtime", member.mtime)) * 10**9)
            os.utime(folder / member.name, ns=(time, time), follow_symlinks=False)


@pytest.fixture
def older(tmp_path: Path) -> Project:
    """A new clone of this version, with archives and results of that one."""
    folder = tmp_path / "older"
    folder.mkdir()
    project = Project(folder, CONFIG)
    unpack(folder)
    return project


def written(project: Project, *below: str) -> clones.Snapshot:
    """Inode, time and content of what was made of images, or of what lies below these paths."""
    seen = clones.snapshot(project.results, "archives", "state", "logs", "benchmarks")
    return {path: it for path, it in seen.items() if path.startswith(below or OF_IMAGES)}


def made_again(project: Project, before: clones.Snapshot) -> set[str]:
    """Which of these are not as they were, or are gone."""
    now = written(project)
    return {path for path in before if now.get(path) != before[path]}


def jobs(run: Run, rule: str) -> int:
    """How many jobs of a rule have finished."""
    return run.log.count(f"(Rule: {rule})")


def left_of_form_1(project: Project) -> set[str]:
    """What lies below state/ and has no name that this version gives."""
    state = project.results / "state"
    files = {path.relative_to(state) for path in state.rglob("*") if path.is_file()}
    receipts = {path for path in files if Name.parse(path.name)}
    tables = {
        path
        for path in files
        for receipt in receipts
        if path.parent == receipt.parent and path.name.startswith(f"{receipt.name.removesuffix('.json')}.")
    }
    return {path.as_posix() for path in files - receipts - tables if path.parts[0] != "made"} - OWN


def own(project: Project) -> Project:
    """The project, of archives that count as the user's own."""
    if not project.archives.exists():
        return project
    sizes = {name: {"bytes": path_of(project, name).stat().st_size} for name in ("train", "val")}
    project.configure({"synthetic": None, "classes": clones.wnids(project), "archives": sizes})
    return project


def test_what_an_older_version_finished_is_taken_over_and_a_dry_run_before_changes_nothing(older: Project) -> None:
    products, images = older.products(), written(older)
    everything, archives = clones.snapshot(older.results), clones.snapshot(older.archives)
    for look in (("-n",), ("space",), ("--list",)):
        assert (said := older.run(*look)).code == 0
        assert ("What is whole is taken over" in said.terminal) == (look == ("-n",))
    check = older.run("check")
    assert check.code != 0
    assert "an older version has made what lies here" in check.last_line
    assert "FAILED" not in check.terminal, "it may all be right"
    assert clones.snapshot(older.results, "logs", "benchmarks") == everything
    assert clones.snapshot(older.archives) == archives

    run = older.succeed()
    assert not run.rules & (READING | WRITING)
    assert written(older) == images
    # Which older versions did not make.
    found = {path: it for path, it in older.products().items() if not path.startswith("archive_index/")}
    assert as_before(found) == as_before(products)
    assert json.loads((older.results / "audit.json").read_text())["ok"]
    assert left_of_form_1(older) == set()
    now = clones.snapshot(older.archives)
    assert {path: now[path] for path in archives} == archives
    assert older.run().nothing_done
    assert older.run("check").code == 0, "nothing is foreign"


def test_what_the_older_version_has_made_again_is_taken_over_again(older: Project) -> None:
    older.configure(AUDITED)
    older.succeed()
    unpack(older.folder)
    for name in ("devkit", "bbox_train", "bbox_val"):  # which that version does not verify again
        (older.results / "state" / "archives" / f"{name}.stat").unlink()
    images = written(older)
    run = older.succeed()
    assert not run.rules & (READING | WRITING)
    assert written(older) == images
    assert left_of_form_1(older) == set()
    assert older.run().nothing_done
    assert older.run("check").code == 0


def taken_over(project: Project, changes: dict[str, Any] | None = None) -> Maker:
    """The project of own archives, with some of its configuration changed, as the job that takes over leaves it."""
    maker = Maker(own(project), changes)
    Takeover(maker.config).run()
    assert left_of_form_1(project) == set()
    return maker


def archives_to_read(maker: Maker) -> set[str]:
    """The archives that a run would read."""
    asks = maker.asks()
    return {it for it in maker.config["use"] if asks.is_wanted(it) and not asks.archive_receipt(it).exists()}


def jobs_to_do(maker: Maker) -> dict[str, int]:
    """How many jobs of each product a run would do, where there are any."""
    missing = [
        product for product, split in parts(maker) for path in maker.receipts(product, split) if not path.exists()
    ]
    return dict(Counter(missing))


def parts(maker: Maker) -> list[tuple[str, str]]:
    """The products that are taken over, with each of their splits."""
    return [(name, split) for name in IMAGES for split in SPLIT_PRODUCTS[name].splits_in_use(maker.config)]


def make(maker: Maker) -> dict[tuple[str, str], dict[str, bytes]]:
    """Have all of these made; return their files."""
    for product, split in parts(maker):
        maker.make(product, split)
        maker.make(LEFTOVERS, f"{product}-{split}")
    return {part: maker.files(*part) for part in parts(maker)}


def expect_as_fresh(maker: Maker) -> None:
    """What jobs make of what was taken over is what they make of the scans alone."""
    made = make(maker)
    for name in (*IMAGES, *(f"state/{step}" for step in (*IMAGES, LEFTOVERS, "images", "plan"))):
        shutil.rmtree(maker.results / name)
    assert make(maker) == made


def test_with_another_label_base_and_other_validation_folders_these_alone_are_made_again(older: Project) -> None:
    folders = written(older, "imagefolder/t")
    maker = taken_over(older, {"tfrecord": {"label_base": 0}, "imagefolder": {"val_dirs": "index"}})
    assert archives_to_read(maker) == set()
    assert jobs_to_do(maker).items() >= {"imagefolder": 1, "tfrecord": 3}.items()
    assert written(older, "imagefolder/t") == folders
    expect_as_fresh(maker)


def test_with_cmyk_images_as_they_are_only_batches_that_have_some_are_made_again(older: Project) -> None:
    images, concerned = written(older), set()
    for split, shards in (("train", 4), ("validation", 2)):
        plan = pq.ParquetFile(older.results / "state" / "plan" / f"{split}.parquet")
        for shard in range(plan.num_row_groups):
            if "CMYK" in plan.read_row_group(shard, ["colorspace"])["colorspace"].to_pylist():
                batch = range(shard // 2 * 2, shard // 2 * 2 + 2)
                concerned |= {f"tfrecord/{split}-{number:05d}-of-{shards:05d}" for number in batch}
    assert concerned
    maker = taken_over(older, {"shards": {"cmyk_to_rgb": False}})
    assert archives_to_read(maker) == set()
    for split in ("train", "validation"):
        maker.make("tfrecord", split)
    assert {path for path in made_again(older, images) if not path.startswith("tfrecord_index/")} == concerned
    expect_as_fresh(maker)


def test_with_fewer_classes_and_another_seed_all_is_made_of_the_scans(older: Project) -> None:
    chosen = clones.wnids(older)[1:4]
    changes = {"classes": chosen, "subset_labels": "renumbered", "shards": {"seed": 99}}
    maker = taken_over(older, changes | {"jobs": {"tfrecord_shards": 3, "imagefolder_classes": 1}})
    assert archives_to_read(maker) == set()
    expect_as_fresh(maker)


def test_touched_archives_are_read_again_and_nothing_is_made_of_them_again(older: Project) -> None:
    images, names = written(older), ("train", "val", "test", "devkit", "bbox_train")
    older.configure(AUDITED)
    for name in names:
        path_of(older, name).touch()
    run = older.succeed()
    assert made_again(older, images) == set()
    assert (jobs(run, "scan_archive"), jobs(run, "verify_archive")) == (3, 2)
    assert left_of_form_1(older) == set()
    assert older.run().nothing_done


def test_what_was_deleted_or_damaged_before_is_made_again_and_the_rest_of_its_batch_at_most(older: Project) -> None:
    products, images = older.products(), written(older)
    records, trees = older.results / "tfrecord", older.results / "imagefolder"
    (records / "train-00000-of-00004").unlink()
    os.truncate(records / "validation-00001-of-00002", 1000)
    first, *_, last = sorted((trees / "train").iterdir())
    shutil.rmtree(first)
    next((trees / "val" / last.name).iterdir()).unlink()
    maker = taken_over(older)
    assert archives_to_read(maker) == set()
    assert jobs_to_do(maker).items() >= {"imagefolder": 2, "tfrecord": 2}.items()
    make(maker)
    again = made_again(older, images)
    assert {path for path in again if path.startswith("tfrecord/train")} == {
        f"tfrecord/train-0000{shard}-of-00004" for shard in (0, 1)
    }
    assert not [path for path in again if path.startswith((f"imagefolder/train/{last.name}", "imagefolder/te"))]
    assert {path: older.products()[path] for path in images} == {path: products[path] for path in images}


@pytest.mark.parametrize(("path", "receipt"), [("archives/train", "archives/train."), ("devkit/synsets", "devkit/")])
def test_a_table_with_a_damaged_footer_is_not_taken_over(older: Project, path: str, receipt: str) -> None:
    table = older.results / "state" / f"{path}.parquet"
    content = bytearray(table.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little")
    for place in range(len(content) - 8 - footer, len(content) - 8):  # one of which is still a table
        damaged = content[:]
        damaged[place] ^= 1
        table.write_bytes(damaged)
        if is_another_table(table, bytes(content)):
            break
    else:
        pytest.fail("no damage of the footer makes another table")
    taken = Takeover(Maker(own(older)).config).run()
    assert taken
    assert not [it for it in taken if it.startswith(receipt)]


def is_another_table(path: Path, content: bytes) -> bool:
    """Whether a file is read as a table, without an error, and as another one than this is."""
    try:
        return not pq.read_table(path).equals(pq.read_table(pa.BufferReader(content)))
    except (pa.ArrowException, OSError):
        return False


def test_of_own_archives_that_are_away_everything_is_taken_over_in_batches_of_other_sizes(older: Project) -> None:
    images = written(older)
    own(older)
    sizes = {"imagefolder_classes": 2, "imagefolder_val_classes": 1, "tfrecord_shards": 3, "index_shards": 1}
    older.archives.rename(older.folder / "away")
    maker = taken_over(older, {"jobs": sizes})
    for back in (False, True):
        if back:
            (older.folder / "away").rename(older.archives)
        assert archives_to_read(maker) == set()
        assert jobs_to_do(maker) == {}
        assert written(older) == images


class Killed(BaseException):
    """In place of a SIGKILL: nothing catches it."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts down in its one item to a kill, with each file that is written or removed."""
    left, write_json, unlink = [-1], atomic.write_json, Path.unlink

    def step() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    def write(*arguments: Any, **named: Any) -> None:
        step()
        write_json(*arguments, **named)

    def remove(path: Path, missing_ok: bool = False) -> None:
        step()
        unlink(path, missing_ok)

    monkeypatch.setattr(atomic, "write_json", write)
    monkeypatch.setattr(Path, "unlink", remove)
    yield left


def test_killed_at_any_step_it_is_gone_on_with(
    older: Project, steps: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = yaml.safe_load((older.folder / "config" / "config.yaml").read_text())
    laid_over = yaml.safe_load((own(older).folder / "test.yaml").read_text())

    def take_over(folder: Path) -> set[str]:
        monkeypatch.chdir(folder)
        config = configuration.complete(merged(given, laid_over), folder)
        if runs.is_older(Path("results")):
            Takeover(config).run()
        state = folder / "results" / "state"  # about.json is written by every run
        return {path.relative_to(state).as_posix() for path in state.rglob("*") if path.is_file()} - {"about.json"}

    undisturbed = take_over(older.folder)
    total = -1 - steps[0]
    for kill_at in {*range(1, total, 12), *range(total - 4, total + 1)}:
        folder = tmp_path / f"killed-{kill_at}"
        folder.mkdir()
        unpack(folder)
        steps[0] = kill_at
        with pytest.raises(Killed):
            take_over(folder)
        steps[0] = -1
        assert take_over(folder) == undisturbed, f"killed at step {kill_at} of {total}"
