"""What users do with a finished tree: clone anew, copy, delete, and look whether anything was touched."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from damage import path_of
from project import SMALL, SOURCES, Project, merged


def forget(project: Project) -> None:
    """Delete all that Snakemake itself has noted of earlier runs."""
    shutil.rmtree(project.folder / ".snakemake", ignore_errors=True)


def new_clone(project: Project, folder: Path) -> Project:
    """Another clone of the workflow, newer than all that was made, to which archives and results were moved."""
    folder.mkdir()
    clone = project.twin(folder)
    for name in ("archives", "results"):
        if (project.folder / name).exists():
            (project.folder / name).rename(clone.folder / name)
    touch_sources(clone)
    return clone


def touch_sources(project: Project) -> None:
    """Give every file of the clone the present time, as `git clone` does."""
    for name in SOURCES:
        source = project.folder / name
        for path in (source, *source.rglob("*")):
            os.utime(path)


def wnids(project: Project) -> list[str]:
    """The WNIDs in the project's label files."""
    return [line.split()[0] for line in (project.results / "labels" / "wnid_to_index.txt").read_text().splitlines()]


def owned(finished: Project, folder: Path, changes: Mapping[str, Any] | None = None) -> Project:
    """A project of which nothing is made, with archives of the finished one that count as the user's own."""
    config = merged(SMALL, {"synthetic": None, "classes": wnids(finished)})
    folder.mkdir(exist_ok=True)
    project = Project(folder, merged(config, dict(changes or {})))
    shutil.copytree(finished.archives, project.archives)
    # Where one of these is missing and its size unknown, a run wants the space that the real one needs.
    sizes = {name: {"bytes": path_of(project, name).stat().st_size} for name in ("train", "val")}
    project.configure({"archives": sizes})
    return project


def delete(project: Project, *patterns: str) -> None:
    """Delete what matches below output_dir, of which there must be something."""
    found = [path for pattern in patterns for path in project.results.glob(pattern)]
    assert found, patterns
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


Snapshot = dict[str, tuple[int, int, int, str]]


def snapshot(folder: Path, *besides: str) -> Snapshot:
    """Inode, time, size and what is read there, or where a link leads, of every file below a folder."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in besides or (path.is_dir() and not path.is_symlink()):
            continue
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        seen[name] = (status.st_ino, status.st_mtime_ns, status.st_size, content)
    return seen
