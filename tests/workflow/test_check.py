"""The audit and the check of whole trees: untouched, copied, and damaged before the audit.

What they find, and that the commands which they name mend it, is asked in test_edits.py, and of every product and every
kind of damage in tests/products/test_audit_contract.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import checks
from project import Project


def flip(path: Path, offset: int) -> None:
    """Change one bit, keeping the file's times."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_check_of_an_untouched_tree_finds_nothing_and_makes_nothing(project: Project) -> None:
    before = project.times()
    for _ in range(2):
        assert project.succeed("check").rules == {"check"}, "asked again it looks again"
        assert project.times() == before


def test_the_checksums_are_those_that_sha256sum_makes(finished: Project) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=finished.results, check=True)
    published = {line.split("  ", 1)[1] for line in (finished.results / "SHA256SUMS").read_text().splitlines()}
    folders = ("tfrecord", "tfrecord_index", "archive_index", "tables", "labels")
    files = [path for name in folders for path in (finished.results / name).rglob("*") if path.is_file()]
    assert published == {path.relative_to(finished.results).as_posix() for path in files}


def test_a_copied_tree_without_the_workflows_records_is_checked(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(project.results / "state")
    shutil.rmtree(project.results / "archives")
    shutil.rmtree(project.folder / ".snakemake")
    shutil.rmtree(project.archives)
    assert project.succeed("check").rules == {"check"}


def test_a_page_that_was_never_made_or_that_a_failed_run_took_away_is_missing(project: Project) -> None:
    page, sheet = (project.results / "report" / name for name in ("index.html", "odd.webp"))
    for step in ("report", "samples"):
        shutil.rmtree(project.results / "state" / step)
    page.unlink()
    sheet.unlink()
    problems = checks.problems_of(project.run("check"))
    assert [text for _, text, _ in problems] == [f"results/report/{it.name}: it is missing" for it in (page, sheet)]
    checks.follow(project, *(mend for _, _, mend in problems))
    project.succeed("check")
    project.configure({"products": ["imagefolder", "tfrecord"]})
    shutil.rmtree(page.parent)
    for step in ("report", "samples"):
        shutil.rmtree(project.results / "state" / step)
    assert "results/report" not in project.run("check").terminal, "nobody asks for it"


def test_a_failed_audit_fails_the_run_and_leaves_no_report_that_looks_good(project: Project) -> None:
    shard = project.results / "tfrecord" / "train-00002-of-00004"
    flip(shard, shard.stat().st_size // 2)
    run = project.run("audit", "--forcerun", "audit_products")
    assert run.code != 0
    assert "results/tfrecord/train-00002-of-00004, byte " in run.last_line
    snakemake = "snakemake --cores 2 tfrecord_train tfrecord_index_train --configfile config/config.yaml test.yaml"
    mend = f"rm -f results/tfrecord/train-00002-of-00004 && {snakemake}"
    assert run.last_line.endswith(f"To mend it: {mend}.")
    assert not (project.results / "audit.json").exists()
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
