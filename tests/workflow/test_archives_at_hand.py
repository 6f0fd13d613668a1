"""Archives that people have already, though not where the configuration has them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from project import Project, merged

DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"


def needing(finished: Project, folder: Path, archive: Path, **settings: object) -> Project:
    """A project that has one archive alone, at `archive`, and takes the devkit for it."""
    config = yaml.safe_load((finished.folder / "test.yaml").read_text())
    content = (finished.archives / DEVKIT).read_bytes()
    project = Project(folder, merged(config, {"synthetic": None, "archives": {"devkit": settings}}))
    target = project.folder / archive
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return project


def size_and_checksum(finished: Project) -> dict[str, object]:
    content = (finished.archives / DEVKIT).read_bytes()
    return {"bytes": len(content), "md5": hashlib.md5(content, usedforsecurity=False).hexdigest()}


def test_an_archive_under_another_name_is_used_and_told(finished: Project, tmp_path: Path) -> None:
    project = needing(finished, tmp_path, Path("archives/devkit (1).tar.gz"), **size_and_checksum(finished))
    run = project.succeed(f"results/verified/{'devkit'}.json")
    assert "devkit (1).tar.gz" in run.terminal
    assert (project.results / "archives" / DEVKIT).resolve().name == "devkit (1).tar.gz"


def test_an_archive_in_a_folder_further_down_is_used(finished: Project, tmp_path: Path) -> None:
    project = needing(finished, tmp_path, Path("archives/ILSVRC/2012") / DEVKIT)
    project.succeed("results/verified/devkit.json")
    assert (project.results / "archives" / DEVKIT).resolve().parent.name == "2012"


def test_a_download_that_aria2_has_not_finished_is_not_taken_for_the_archive(finished: Project, tmp_path: Path) -> None:
    project = needing(finished, tmp_path, Path("archives") / DEVKIT)
    (project.archives / f"{DEVKIT}.aria2").write_bytes(b"")
    run = project.run("results/verified/devkit.json")
    assert run.code != 0
    assert "aria2 has not finished this download" in run.last_line
    assert (project.archives / DEVKIT).is_file()


def test_a_link_to_an_unmounted_disk_is_named_and_no_download_begun(finished: Project, tmp_path: Path) -> None:
    project = needing(finished, tmp_path, Path("elsewhere.tar.gz"), url="http://127.0.0.1:9/never")
    project.archives.mkdir()
    (project.archives / DEVKIT).symlink_to("/no/such/disk/devkit.tar.gz")
    run = project.run("results/verified/devkit.json")
    assert run.code != 0
    assert "this is a link to /no/such/disk/devkit.tar.gz, which is not there" in run.last_line
    assert "Traceback" not in run.terminal
