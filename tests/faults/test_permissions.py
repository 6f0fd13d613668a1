"""Files belong to those whom the user's umask and folders give them to: nothing is opened or closed further."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from project import SMALL, Project, merged

GROUP = 61003  # a number that no account has


def entries(folder: Path) -> list[Path]:
    """The folder and everything below it that has a mode of its own."""
    return [folder, *(path for path in sorted(folder.rglob("*")) if not path.is_symlink())]


def modes(paths: list[Path], *, folders: bool) -> dict[str, list[str]]:
    """Of the files, or of the folders: by mode, those that have it."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if path.is_dir() == folders:
            found.setdefault(oct(stat.S_IMODE(path.stat().st_mode)), []).append(path.name)
    return found


def test_everything_that_is_made_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    project = Project(tmp_path, merged(SMALL, {"publish": {"url": "./published"}}))
    run = project.run(prefix=("sh", "-c", 'umask 027 && exec "$@"', "sh"))
    assert run.code == 0, run.terminal
    made = [path for folder in ("results", "archives", "published") for path in entries(tmp_path / folder)]
    assert list(modes(made, folders=False)) == ["0o640"]
    assert list(modes(made, folders=True)) == ["0o750"]


def test_a_folder_that_passes_on_its_group_does_so_down_to_the_last_file(tmp_path: Path) -> None:
    project = Project(tmp_path, SMALL)
    project.results.mkdir()
    if os.geteuid() == 0:
        os.chown(project.results, -1, GROUP)
    project.results.chmod(0o2775)
    group = project.results.stat().st_gid
    run = project.run(prefix=("sh", "-c", 'umask 002 && exec "$@"', "sh"))
    assert run.code == 0, run.terminal
    made = entries(project.results)
    assert {path.stat().st_gid for path in made} == {group}
    assert list(modes(made, folders=True)) == [oct(0o2775)]
    assert list(modes(made, folders=False)) == [oct(0o664)]
