"""A Slurm that these tests start and stop, and projects that are to run on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from cluster.projects import DEMO, PYTHON, TARGETS, ClusterProject
from cluster.slurm import Slurm, impossible
from project import Project


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """The cluster."""
    reason = impossible()
    if reason:
        pytest.skip(f"not possible here: {reason}")
    assert PYTHON.exists(), "make env-cluster has not been run"
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo, made without a cluster."""
    project = Project(tmp_path_factory.mktemp("local"), DEMO)
    project.succeed(*TARGETS)
    return project


@pytest.fixture(scope="session")
def copies(slurm: Slurm, local: Project, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ClusterProject]:
    """Makes a copy of it without its validation images, which a cluster is to make again."""

    def copy(name: str) -> ClusterProject:
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(local.folder, folder, symlinks=True, dirs_exist_ok=True)
        project = ClusterProject(folder)
        project.forget_validation_folders()
        return project

    return copy


@pytest.fixture
def project(copies: Callable[[str], ClusterProject]) -> ClusterProject:
    """Such a copy, to do with as one likes."""
    return copies("project")
