"""Files belong to those whom the user's umask and folders give them to: nothing is opened or closed further."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What a user makes who keeps others out, in a folder that passes on its group."""
    project = Project(tmp_path_factory.mktemp("made"), merged(SMALL, {"publish": {"url": "./published"}}))
    project.results.mkdir()
    if os.geteuid() == 0:
        os.chown(project.results, -1, GROUP)
    project.results.chmod(0o2750)
    run = project.run(prefix=("sh", "-c", 'umask 027 && exec "$@"', "sh"))
    assert run.code == 0, run.terminal
    return project


def test_everything_that_is_made_has_the_mode_that_the_umask_leaves(made: Project) -> None:
    for folder in (made.archives, made.folder / "published"):
        assert list(modes(entries(folder), folders=False)) == ["0o640"]
        assert list(modes(entries(folder), folders=True)) == ["0o750"]
    assert list(modes(entries(made.results), folders=False)) == ["0o640"]


def test_a_folder_that_passes_on_its_group_does_so_down_to_the_last_file(made: Project) -> None:
    group = made.results.stat().st_gid
    assert {path.stat().st_gid for path in entries(made.results)} == {group}
    assert list(modes(entries(made.results), folders=True)) == ["0o2750"]
