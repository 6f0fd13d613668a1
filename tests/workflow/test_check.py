"""The audit and the check: what they find, and that the command which they name mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from project import Project


def flip(path: Path, offset: int) -> None:
    """Change one bit, keeping the file's times."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def image(project: Project) -> Path:
    return sorted((project.results / "imagefolder" / "train").rglob("*.JPEG"))[0]


def test_a_check_of_an_untouched_tree_finds_nothing_and_makes_nothing(project: Project) -> None:
    before = project.times()
    run = project.succeed("check")
    assert run.rules == {"check"}
    assert project.times() == before
    assert project.succeed("check").rules == {"check"}, "asked again it looks again"


def test_the_checksums_are_those_that_sha256sum_makes(finished: Project) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=finished.results, check=True)
    published = {line.split("  ", 1)[1] for line in (finished.results / "SHA256SUMS").read_text().splitlines()}
    folders = ("tfrecord", "tfrecord_index", "tables", "labels")
    assert published == {f"{name}/{path.name}" for name in folders for path in (finished.results / name).iterdir()}


def damage_flipped_bit_in_an_image_file(project: Project) -> Path:
    path = image(project)
    flip(path, path.stat().st_size // 2)
    return path


def damage_flipped_bit_in_a_record(project: Project) -> Path:
    path = project.results / "tfrecord" / "train-00002-of-00004"
    flip(path, path.stat().st_size // 2)
    return path


def damage_truncated_shard(project: Project) -> Path:
    path = project.results / "tfrecord" / "validation-00001-of-00002"
    os.truncate(path, path.stat().st_size - 7)
    return path


def damage_index_of_another_shard(project: Project) -> Path:
    path = project.results / "tfrecord_index" / "train-00000-of-00004"
    shutil.copy(path.with_name("train-00001-of-00004"), path)
    return path


def damage_deleted_image_file(project: Project) -> Path:
    path = image(project)
    path.unlink()
    return path


def damage_deleted_shard(project: Project) -> Path:
    path = project.results / "tfrecord" / "train-00003-of-00004"
    path.unlink()
    return path


def damage_swapped_labels(project: Project) -> Path:
    path = project.results / "labels" / "val_index.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[1:], lines[0]]) + "\n")
    return path


def damage_changed_table(project: Project) -> Path:
    path = project.results / "tables" / "bboxes.parquet"
    flip(path, 100)
    return path


def damage_file_of_somebody_else(project: Project) -> Path:
    path = project.results / "tfrecord" / "notes.txt"
    path.write_text("mine")
    return path


def damage_image_in_another_class(project: Project) -> Path:
    path = image(project)
    other = sorted((project.results / "imagefolder" / "train").iterdir())[-1] / path.name
    shutil.copy(path, other)
    return other


DAMAGES = [value for name, value in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__.removeprefix("damage_") for damage in DAMAGES])
def test_a_check_names_what_was_damaged_and_the_command_that_mends_it(damage, project: Project) -> None:  # type: ignore[no-untyped-def]
    products = project.products()
    path = damage(project)
    run = project.run("check")
    assert run.code != 0
    assert "Traceback" not in run.terminal
    line = run.terminal.splitlines().index(next(line for line in run.terminal.splitlines() if path.name in line))
    assert "mend: " in run.terminal.splitlines()[line + 1]
    mend = run.terminal.splitlines()[line + 1].split("mend: ", 1)[1]
    assert str(path.relative_to(project.folder)) in run.last_line or path.name in run.last_line

    assert mend in run.last_line
    if mend.startswith("move it away"):
        path.unlink()
    else:
        follow(project, mend)
    assert project.products() == products
    assert project.succeed("check").rules == {"check"}


def follow(project: Project, mend: str) -> None:
    """Do what the message says, in a shell, with `snakemake` of this test's configuration."""
    snakemake = " ".join(project.command(cores=2)[:5])
    overlay = " --configfile config/config.yaml test.yaml"
    commands = [
        command.replace("snakemake --cores N", snakemake) + (overlay if "snakemake" in command else "")
        for command in mend.split(" && ")
    ]
    subprocess.run(" && ".join(commands), shell=True, cwd=project.folder, check=True, capture_output=True)


def test_a_tree_copied_elsewhere_without_the_workflows_own_records_can_be_checked(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(project.results / "state")
    shutil.rmtree(project.results / "archives")
    shutil.rmtree(project.folder / ".snakemake")
    shutil.rmtree(project.archives)
    assert project.succeed("check").rules == {"check"}


def test_a_failed_audit_fails_the_run_and_leaves_no_report_that_looks_good(project: Project) -> None:
    damage_flipped_bit_in_a_record(project)
    run = project.run("audit", "--forcerun", "audit_products")
    assert run.code != 0
    assert "train-00002-of-00004" in run.last_line
    assert not (project.results / "audit.json").exists()
    assert not (project.results / "SHA256SUMS").exists()


def test_a_class_with_an_image_less_than_the_devkit_says_fails_the_audit(project: Project) -> None:
    classes = project.results / "labels" / "classes.csv"
    lines = classes.read_text().splitlines()
    row = lines[1].rsplit(",", 1)
    lines[1] = f"{row[0]},{int(row[1]) + 1}"
    classes.write_text("\n".join(lines) + "\n")
    run = project.run("check")
    assert run.code != 0
    assert f"the devkit says {int(row[1]) + 1}" in run.terminal
