"""The audit and the check: what they find, and that the command which they name mends it.

Of every product and every kind of damage that is asked in tests/products/test_audit_contract.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from checks import in_shell, problems_of
from project import Project


def flip(path: Path, offset: int) -> None:
    """Change one bit, keeping the file's times."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def image(project: Project, class_number: int = 0) -> Path:
    """The first training image of a class."""
    folder = sorted((project.results / "imagefolder" / "train").iterdir())[class_number]
    return sorted(folder.iterdir())[0]


def test_a_check_of_an_untouched_tree_finds_nothing_and_makes_nothing(project: Project) -> None:
    before = project.times()
    for _ in range(2):
        assert project.succeed("check").rules == {"check"}, "asked again it looks again"
        assert project.times() == before


def test_the_checksums_are_those_that_sha256sum_makes(finished: Project) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=finished.results, check=True)
    published = {line.split("  ", 1)[1] for line in (finished.results / "SHA256SUMS").read_text().splitlines()}
    folders = ("tfrecord", "tfrecord_index", "tables", "labels")
    assert published == {f"{name}/{path.name}" for name in folders for path in (finished.results / name).iterdir()}


def damage_flipped_bit_in_an_image_file(project: Project) -> Path:
    path = image(project, class_number=4)
    flip(path, path.stat().st_size // 2)
    return path


def damage_flipped_bit_in_a_record(project: Project) -> Path:
    path = project.results / "tfrecord" / "train-00002-of-00004"
    flip(path, path.stat().st_size // 2)
    return path


def damage_deleted_image_file(project: Project) -> Path:
    path = image(project)
    path.unlink()
    return path


def damage_swapped_labels(project: Project) -> Path:
    path = project.results / "labels" / "val_index.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[1:], lines[0]]) + "\n")
    return path


def damage_changed_table(project: Project) -> Path:
    path = project.results / "tables" / "images.parquet"
    flip(path, 100)
    return path


# What lies in one tree at once, in the order in which it is mended: none hides another, or is mended when another is.
TREES: list[list[Callable[[Project], Path]]] = [
    [damage_deleted_image_file, damage_flipped_bit_in_a_record],
    [damage_swapped_labels, damage_changed_table],
]


def test_a_check_names_what_was_damaged_and_the_command_that_mends_it(own: Project) -> None:
    for damages in TREES:
        expect_named_and_mended(damages, own)


def expect_named_and_mended(damages: list[Callable[[Project], Path]], own: Project) -> None:
    """Damage a project, and do what a check then says, command by command."""
    products = own.products()
    damaged = {damage.__name__: damage(own) for damage in damages}
    run = own.run("check")
    assert run.code != 0
    assert "Traceback" not in run.terminal
    problems = problems_of(run)
    mends = {}
    for damage, path in damaged.items():
        said = [mend for _, problem, mend in problems if names(problem, path, own)]
        assert said, (damage, run.terminal)
        mends[damage] = said[0]
    for check in {check for check, _, _ in problems}:
        texts = [problem for of, problem, _ in problems if of == check]
        of_files = [any(names(text, path, own) for path in damaged.values()) for text in texts]
        assert of_files == sorted(of_files, reverse=True), ("files before what follows from them", check, run.terminal)
    _, problem, mend = problems[0]
    assert f"{problem} (the first of " in run.last_line
    assert mend in run.last_line

    for command in dict.fromkeys(mend.split(" && ")[-1] for mend in mends.values()):
        of_command = [damage for damage, mend in mends.items() if mend.split(" && ")[-1] == command]
        assert not [damage for damage in of_command if is_whole(damaged[damage], products, own)], "mended before"
        follow(own, [mends[damage] for damage in of_command])
        assert [damage for damage in of_command if not is_whole(damaged[damage], products, own)] == []
    assert own.products() == products
    assert own.succeed("check").rules == {"check"}


def names(problem: str, path: Path, project: Project) -> bool:
    """Whether a problem names a file: by its path, or by its name behind that of its folder."""
    return str(path.relative_to(project.folder)) in problem or f"{path.parent.name}/: {path.name}" in problem


def is_whole(path: Path, products: dict[str, str], project: Project) -> bool:
    """Whether a file is as it was before the damage, or not there if it was not."""
    name = path.relative_to(project.results).as_posix()
    return project.products().get(name) == products.get(name)


def follow(project: Project, mends: list[str]) -> None:
    """Do what the messages about some files say, in a shell; they end with the same command, which is given once."""
    commands = [command for mend in mends for command in mend.split(" && ")[:-1]]
    done = in_shell(" && ".join([*commands, mends[0].split(" && ")[-1]]), project.folder)
    assert done.returncode == 0, done.stdout


def test_a_copied_tree_without_the_workflows_records_is_checked(finished: Project, tmp_path: Path) -> None:
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
    assert "results/tfrecord/train-00002-of-00004, byte " in run.last_line
    snakemake = "snakemake --cores 2 tfrecord_train tfrecord_index_train --configfile config/config.yaml test.yaml"
    mend = f"rm -f results/tfrecord/train-00002-of-00004 && {snakemake}"
    assert run.last_line.endswith(f"To mend it: {mend}.")
    assert not (project.results / "audit.json").exists()
    assert not (project.results / "SHA256SUMS").exists()


def test_a_table_that_was_damaged_before_the_audit_is_not_vouched_for(project: Project) -> None:
    table = project.results / "labels" / "synsets.parquet"
    flip(table, table.read_bytes().rindex(b"gloss"))  # the name of a column, which has no checksum in the file
    run = project.run("audit", "--forcerun", "audit_products")
    assert run.code != 0
    assert "results/labels/synsets.parquet: it is not as it was made" in run.last_line
    assert not (project.results / "SHA256SUMS").exists()


def test_a_class_with_an_image_less_than_the_devkit_says_fails_the_audit(project: Project) -> None:
    shutil.rmtree(project.results / "state")  # which would tell that the file was edited
    (project.results / "SHA256SUMS").unlink()
    classes = project.results / "labels" / "classes.csv"
    lines = classes.read_text().splitlines()
    row = lines[1].rsplit(",", 1)
    lines[1] = f"{row[0]},{int(row[1]) + 1}"
    classes.write_text("\n".join(lines) + "\n")
    run = project.run("check")
    assert run.code != 0
    assert f"the devkit says {int(row[1]) + 1}" in run.terminal
