"""Projects that several tests of the workflow start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import clones
from project import SMALL, Project, Share, merged


@pytest.fixture(scope="session")
def labels_made(finished: Project, share: Share) -> Project:
    """A project whose archives the workflow did not make itself, linked, and its labels; copy it before changing it."""

    def make(folder: Path) -> None:
        project = Project(folder, merged(SMALL, {"synthetic": None, "classes": clones.wnids(finished)}))
        shutil.copytree(finished.archives, project.archives)
        project.succeed("labels", "download")

    return Project(share("labels_made", make))


@pytest.fixture
def labelled(labels_made: Project, tmp_path: Path) -> Project:
    """A copy of the project with its labels, to do with as one likes."""
    return labels_made.copy(tmp_path / "labelled")
