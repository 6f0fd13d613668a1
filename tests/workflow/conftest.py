"""Projects that several tests of the workflow start from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import clones
from damage import digests
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


@pytest.fixture(scope="session")
def own_finished(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose archives the workflow did not make itself, and everything; copy it before changing it."""
    project = clones.owned(finished, tmp_path_factory.mktemp("own_finished"))
    project.succeed()
    return project


@pytest.fixture
def own(own_finished: Project, tmp_path: Path) -> Project:
    """A copy of that, to do with as one likes."""
    return own_finished.copy(tmp_path / "own")


@pytest.fixture(scope="session")
def freshly_made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Project], dict[str, str]]:
    """The products that a project's configuration and archives give where nothing was made before."""
    made: dict[str, dict[str, str]] = {}

    def products(project: Project) -> dict[str, str]:
        config = clones.configuration(project)
        key = json.dumps([config, None if config["synthetic"] else digests(project)], sort_keys=True)
        if key not in made:
            fresh = Project(tmp_path_factory.mktemp("fresh"), {})
            fresh.write_config(config)
            if not config["synthetic"]:
                shutil.copytree(project.archives, fresh.archives)
            fresh.succeed()
            made[key] = fresh.products()
        return made[key]

    return products
