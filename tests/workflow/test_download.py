"""Downloads as a part of a run: what is there is not asked for again, and what was begun is continued."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from damage import expect_clear_end, path_of
from download import server
from project import Project


@pytest.fixture
def lacking(labelled: Project) -> Iterator[tuple[Project, server.Server]]:
    """A project without the archive of the validation images, and a server that has it."""
    archive = path_of(labelled, "val")
    with server.running(archive.read_bytes()) as served:
        archive.unlink()
        url = f"{served.url.replace('//', '//me:s3cret@')}/val.tar?key=s3cret"
        labelled.configure({"archives": {"val": {"url": url, "md5": None, "bytes": None}}})
        yield labelled, served


def files(project: Project) -> str:
    """All that the workflow and Snakemake have written."""
    folders = [project.results, project.archives, project.folder / ".snakemake"]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return "".join(path.read_text(errors="replace") for path in paths)


def test_missing_archives_alone_are_downloaded_and_no_secret_kept(lacking: tuple[Project, server.Server]) -> None:
    project, served = lacking
    project.configure({"archives": {"devkit": {"url": f"{served.url}/devkit.tar.gz"}}})
    link = project.results / "archives" / path_of(project, "devkit").name
    link.unlink()
    run = project.succeed("download")
    assert run.rules == {"fetch_archive", "link_archives", "download"}
    assert path_of(project, "val").read_bytes() == served.content
    assert "s3cret" not in run.terminal + files(project)
    assert link.resolve() == path_of(project, "devkit")
    assert {request.path for request in served.requests} == {"/val.tar?key=s3cret"}


def test_a_download_that_failed_is_continued_by_the_next_run(lacking: tuple[Project, server.Server]) -> None:
    project, served = lacking
    project.configure({"download": {"connections": 1}})
    served.next.append(server.cut(10_000))
    served.always = server.status(404)
    run = project.run("download")
    expect_clear_end(
        project,
        run,
        f"archives/{path_of(project, 'val').name}",
        f"{served.url}/val.tar (HTTP 404",
        "10000 bytes",
        "Correct",
    )
    assert "s3cret" not in run.terminal + files(project)
    served.always = None
    project.succeed("download")
    assert path_of(project, "val").read_bytes() == served.content
    assert served.sent == len(served.content)


def test_other_ways_to_download_redo_nothing_of_what_is_there(project: Project) -> None:
    mirrors = ["https://example.org/train.tar", "https://example.org/other.tar"]
    project.configure({"download": {"connections": 7, "local": "copy"}})
    project.configure({"archives": {"val": {"url": "https://example.org/val.tar"}, "train": {"url": mirrors}}})
    assert project.run().nothing_done


def test_a_killed_download_and_the_run_after_it_keep_no_secret(lacking: tuple[Project, server.Server]) -> None:
    project, served = lacking
    # Of every rule there is a job for one split, if not for all of them.
    project.configure({"use": ["val", "devkit", "bbox_val", "multilabel"]})
    served.always = server.stall(10_000)
    assert project.kill_when(lambda: served.so_far > 0)
    served.always = None
    # Snakemake runs a job from a file with its parameters, which a kill leaves there: for the eyes of its user only.
    scripts = [path for path in (project.folder / ".snakemake" / "scripts").iterdir() if "s3cret" in path.read_text()]
    assert {path.stat().st_mode & 0o777 for path in scripts} <= {0o600}
    for path in scripts:
        path.unlink()
    project.succeed("--unlock")
    run = project.succeed()
    assert "write_page" in run.rules
    assert "s3cret" not in run.terminal + files(project)
