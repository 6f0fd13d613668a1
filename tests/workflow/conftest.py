"""Projects that several tests of the workflow start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from project import SMALL, Project, merged


@pytest.fixture(scope="session")
def labels_made(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose archives the workflow did not make itself, linked, and its labels; copy it before changing it."""
    classes = [line.split()[0] for line in (finished.results / "labels" / "wnid_to_index.txt").read_text().splitlines()]
    project = Project(tmp_path_factory.mktemp("labels_made"), merged(SMALL, {"synthetic": None, "classes": classes}))
    shutil.copytree(finished.archives, project.archives)
    project.succeed("labels", "download")
    return project


@pytest.fixture
def labelled(labels_made: Project, tmp_path: Path) -> Project:
    """A copy of the project with its labels, to do with as one likes."""
    return labels_made.copy(tmp_path / "labelled")
