"""Where archives lie, and through which links they are reached: never lost, never mistaken for others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clones
from builders import tar
from damage import expect_clear_end, files, path_of
from download import server
from project import Project

# Little to make, of few archives.
FEW = {"use": ["val", "devkit"], "products": ["imagefolder"]}


def few(finished: Project, folder: Path, **changes: Any) -> Project:
    """A project of which nothing is made, with archives of its own."""
    return clones.owned(finished, folder, FEW | changes)


def verified(project: Project) -> dict[str, str]:
    """What was found in the archives."""
    return {path: digest for path, digest in project.products().items() if path.startswith("verified/")}


def expect_right_ones(project: Project, finished: Project) -> None:
    """What was read are the archives that the finished project has."""
    found = verified(project)
    assert len(found) == len(FEW["use"])
    assert found.items() <= verified(finished).items()


def places(folder: Path) -> clones.Snapshot:
    """The archives of a folder, with inode, time and content."""
    return {name: seen for name, seen in clones.snapshot(folder).items() if name.startswith("ILSVRC2012_")}


def put_another(archive: Path, place: Path) -> None:
    """Put an archive of the same name elsewhere, with two images exchanged."""
    members = files(archive.read_bytes()) if archive.suffix == ".tar" else {}
    place.mkdir(parents=True, exist_ok=True)
    if members:
        first, second, *_ = sorted(members)
        members[first], members[second] = members[second], members[first]
        (place / archive.name).write_bytes(tar(members))
    else:
        (place / archive.name).write_bytes(archive.read_bytes())


# Results that are a link, or lie below one.


@pytest.mark.parametrize("output_dir", ["results", "data/results"], ids=["a link", "below a link"])
def test_behind_a_link_relative_archives_are_used(finished: Project, tmp_path: Path, output_dir: str) -> None:
    project = few(finished, tmp_path / "project", output_dir=output_dir)
    project.results = project.folder / output_dir
    link, target = project.folder / Path(output_dir).parts[0], tmp_path / "disk" / "of" / "many" / "folders"
    target.mkdir(parents=True)
    link.symlink_to(target)
    # Where a link made from the names alone leads, others lie.
    wrong = Path(os.path.relpath(project.archives, project.results / "archives"))
    place = Path(os.path.normpath(os.path.realpath(project.results / "archives") / wrong))
    assert place != project.archives
    for name in ("val", "devkit"):
        put_another(path_of(project, name), place)
    before = places(project.archives)
    project.succeed("verify")
    expect_right_ones(project, finished)
    assert places(project.archives) == before
    assert project.run("verify").nothing_done


def test_results_that_become_a_link_need_nothing_made_again(own: Project, tmp_path: Path) -> None:
    products, times = own.products(), own.times()
    own.results.rename(tmp_path / "moved")
    own.results.symlink_to(tmp_path / "moved")
    run = own.succeed()
    assert not run.rules & {"scan_archive", "verify_archive"}
    assert own.products() == products
    assert own.times() == times


# Archives where the links to them would be. Those that are read are verified; nothing else reads more of them.


@pytest.fixture(params=["files over the links", "files from the first run on", "a link to archives_dir"])
def settled(request: pytest.FixtureRequest, finished: Project, tmp_path: Path) -> tuple[Project, Path]:
    """A project with verified archives that lie in output_dir/archives, and where they are really."""
    project = few(finished, tmp_path / "project")
    links = project.results / "archives"
    if request.param == "files from the first run on":
        project.results.mkdir()
        project.archives.rename(links)
        project.archives.mkdir()
        project.succeed("verify")
        return project, links
    if request.param == "a link to archives_dir":
        project.results.mkdir()
        links.symlink_to("../archives")
        project.succeed("verify")
        return project, project.archives
    project.succeed("verify")
    for name in ("val", "devkit"):
        path = path_of(project, name)
        path.replace(links / path.name)
    return project, links


def test_archives_in_output_dir_are_used_and_survive(settled: tuple[Project, Path], finished: Project) -> None:
    project, place = settled
    before, found = places(place), verified(project)
    assert {"ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"} <= before.keys()
    expect_right_ones(project, finished)
    project.succeed("-F", "verify")
    assert places(place) == before
    assert verified(project) == found
    assert project.run("verify").nothing_done

    other = project.folder / "other"
    for name in ("val", "devkit"):
        put_another(finished.archives / path_of(project, name).name, other)
    others = places(other)
    project.configure({"archives_dir": "other"})
    clones.forget(project)
    project.succeed("-F", "verify")
    assert places(place) == before
    assert places(other) == others


def test_archives_moved_over_the_links_leave_no_product_to_be_made(own: Project) -> None:
    times = own.times()
    for path in own.archives.iterdir():
        path.replace(own.results / "archives" / path.name)
    archives = places(own.results / "archives")
    own.succeed()
    assert own.times() == times
    own.configure({"tfrecord": {"label_base": 0}})
    own.succeed("tfrecord_validation")
    assert places(own.results / "archives") == archives


# Downloads.


@pytest.fixture
def lacking(finished: Project, tmp_path: Path) -> Iterator[tuple[Project, server.Server]]:
    """A project without one of its archives, of which nothing is made, and a server that has it."""
    project = few(finished, tmp_path / "project")
    archive = path_of(project, "val")
    with server.running(archive.read_bytes()) as served:
        archive.unlink()
        project.configure({"archives": {"val": {"url": f"{served.url}/val.tar"}}})
        yield project, served


def test_a_download_through_a_link_stays(lacking: tuple[Project, server.Server], finished: Project) -> None:
    project, served = lacking
    project.results.mkdir()
    (project.results / "archives").symlink_to("../archives")
    project.succeed("download")
    archive = path_of(project, "val")
    assert not archive.is_symlink()
    assert archive.read_bytes() == served.content
    downloaded, requests = places(project.archives), len(served.requests)
    project.succeed("-F", "verify")
    expect_right_ones(project, finished)
    assert places(project.archives) == downloaded
    assert len(served.requests) == requests


@pytest.mark.parametrize("archives_dir", ["archives", "disk/archives"], ids=["a dangling link", "below one"])
def test_without_the_disk_no_download(
    lacking: tuple[Project, server.Server], tmp_path: Path, archives_dir: str
) -> None:
    project, served = lacking
    unmounted = tmp_path / "unmounted"
    project.archives.rename(tmp_path / "away")
    link = project.folder / Path(archives_dir).parts[0]
    link.symlink_to(unmounted)
    project.configure({"archives_dir": archives_dir})
    run = project.run()
    expect_clear_end(project, run, link.name, str(unmounted), "not there")
    assert served.requests == []
    assert link.is_symlink()
    assert not unmounted.exists()


def test_without_the_disk_a_dry_run_makes_nothing(lacking: tuple[Project, server.Server], tmp_path: Path) -> None:
    project, served = lacking
    project.archives.rename(tmp_path / "away")
    project.archives.symlink_to(tmp_path / "unmounted")
    project.run("-n")
    assert served.requests == []
    assert not (tmp_path / "unmounted").exists()
