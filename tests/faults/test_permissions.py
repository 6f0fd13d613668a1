"""Files belong to those whom the user's umask and folders give them to: nothing is opened or closed further.

The finished project was made with the umask 027, in a folder that passes on its group.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from imagenet_prep.publish.publication import publish
from project import Project


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


def test_everything_that_is_made_has_the_mode_that_the_umask_leaves(finished: Project) -> None:
    assert list(modes(entries(finished.archives), folders=False)) == ["0o640"]
    assert list(modes(entries(finished.archives), folders=True)) == ["0o750"]
    assert list(modes(entries(finished.results), folders=False)) == ["0o640"]


def test_a_folder_that_passes_on_its_group_does_so_down_to_the_last_file(finished: Project) -> None:
    group = finished.results.stat().st_gid
    assert {path.stat().st_gid for path in entries(finished.results)} == {group}
    assert list(modes(entries(finished.results), folders=True)) == ["0o2750"]


def test_what_is_published_to_a_folder_has_the_mode_that_the_umask_leaves(finished: Project, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        publish(finished.results, str(tmp_path / "published"))
    finally:
        os.umask(before)
    assert list(modes(entries(tmp_path / "published"), folders=False)) == ["0o640"]
    assert list(modes(entries(tmp_path / "published"), folders=True)) == ["0o750"]
