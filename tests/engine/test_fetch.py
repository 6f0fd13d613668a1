"""Getting an archive: what lies there is used and never written to; else it is linked, copied or downloaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import builders
from download import server
from imagenet_prep.download.limits import Limits
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.fetch import find_or_fetch
from imagenet_prep.errors import PrepError

CONTENT = bytes(range(256)) * 9000


@pytest.fixture
def served() -> Iterator[server.Server]:
    """A server of `CONTENT`."""
    with server.running(CONTENT) as running:
        yield running


def fetch(archive: Path, url: str | list[str] | None, local: str, link: Path, **expected: Any) -> None:
    """Find or fetch an archive, with limits that let no test wait."""
    wanted = Expected(**expected)
    settings = {"file": archive.name, "url": url, "md5": wanted.checksum, "sha256": None, "bytes": wanted.nbytes}
    config = {
        "archives_dir": archive.parent,
        "output_dir": link.parents[1],
        "archives": {"val": settings},
        "download": {"connections": 1, "local": local},
        "synthetic": None,
    }
    archive.parent.mkdir(exist_ok=True)
    find_or_fetch(config, "val", wanted, Limits(backoff=0.001, stall=5))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archives" / "a.tar"


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "results" / "archives" / "a.tar"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "100% #1?.tar"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_an_archive_that_is_there_is_linked_and_not_touched(archive: Path, link: Path) -> None:
    archive.parent.mkdir()
    archive.write_bytes(b"mine")
    before = archive.stat()
    fetch(archive, "http://127.0.0.1:9/never-asked", "copy", link)
    assert link.is_symlink()
    assert link.resolve() == archive
    assert archive.stat() == before


def test_an_archive_in_a_read_only_folder_is_linked(archive: Path, link: Path) -> None:
    archive.parent.mkdir()
    archive.write_bytes(b"mine")
    archive.parent.chmod(0o555)
    try:
        fetch(archive, None, "link", link)
    finally:
        archive.parent.chmod(0o755)
    assert builders.files_below(archive.parent) == {"a.tar"}


def test_a_link_is_replaced(archive: Path, link: Path) -> None:
    archive.parent.mkdir()
    archive.write_bytes(b"mine")
    link.parent.mkdir(parents=True)
    link.symlink_to("/nowhere")
    fetch(archive, None, "link", link)
    assert link.resolve() == archive
    assert builders.files_below(link.parent) == {"a.tar"}


def test_an_archive_elsewhere_is_linked_where_it_lies(archive: Path, link: Path, elsewhere: Path) -> None:
    fetch(archive, elsewhere.as_uri(), "link", link)
    assert link.resolve() == elsewhere
    assert not archive.exists()


def test_an_archive_elsewhere_is_copied_where_that_is_wanted(archive: Path, link: Path, elsewhere: Path) -> None:
    fetch(archive, elsewhere.as_uri(), "copy", link)
    assert link.resolve() == archive
    assert archive.read_bytes() == elsewhere.read_bytes()
    assert builders.files_below(archive.parent) == {"a.tar"}


def test_an_archive_is_downloaded(archive: Path, link: Path, served: server.Server) -> None:
    fetch(archive, f"{served.url}/a.tar", "link", link, checksum=hashlib.md5(CONTENT).hexdigest(), nbytes=len(CONTENT))
    assert link.resolve() == archive
    assert archive.read_bytes() == CONTENT
    assert builders.files_below(archive.parent) == {"a.tar"}


def test_the_next_source_is_asked_when_one_does_not_have_it(archive: Path, link: Path, served: server.Server) -> None:
    served.next.append(server.status(404))
    fetch(archive, ["file:///nowhere/a.tar", f"{served.url}/none.tar", f"{served.url}/a.tar"], "link", link)
    assert archive.read_bytes() == CONTENT


def test_the_first_source_is_the_file_url(archive: Path, link: Path, served: server.Server, elsewhere: Path) -> None:
    fetch(archive, [elsewhere.as_uri(), f"{served.url}/a.tar"], "link", link)
    assert link.resolve() == elsewhere
    assert served.requests == []


@pytest.mark.parametrize(
    ("behaviour", "answer", "remedy"),
    [
        (server.status(403), "HTTP 403", "https://image-net.org/download-images"),
        (server.status(404), "HTTP 404", "Correct the url"),
        (server.page(b"<html>"), "a web page", "https://image-net.org/download-images"),
    ],
)
def test_a_source_that_does_not_have_it_is_an_error_with_its_answer_and_what_to_do(
    archive: Path, link: Path, served: server.Server, behaviour: server.Behaviour, answer: str, remedy: str
) -> None:
    served.always = behaviour
    with pytest.raises(PrepError) as caught:
        fetch(archive, f"{served.url}/a.tar", "link", link)
    assert caught.value.place == str(archive)
    assert f"{served.url}/a.tar ({answer}" in caught.value.problem
    assert remedy in caught.value.remedy
    assert builders.is_one_line(caught.value)
    assert not link.exists()
    assert builders.files_below(archive.parent) == set()


def test_an_error_says_how_much_has_come_and_where_it_is_kept(archive: Path, link: Path, served: server.Server) -> None:
    served.next.append(server.good)
    served.always = server.status(404)
    with pytest.raises(PrepError) as caught:
        fetch(archive, f"{served.url}/a.tar", "link", link)
    assert f"the 1048576 bytes that have come are kept in {archive}.part" in caught.value.problem
    served.always = None
    fetch(archive, f"{served.url}/a.tar", "link", link)
    assert served.sent == len(CONTENT)


def test_what_helps_most_is_said_before_the_advice_to_wait(archive: Path, link: Path) -> None:
    with pytest.raises(PrepError) as caught:
        fetch(archive, ["http://127.0.0.1:9/a.tar", "file:///nowhere/a.tar"], "link", link)
    remedies = ("Correct the url", "Get the archive by hand and put it there", "Run the same command again later")
    assert sorted(map(caught.value.remedy.index, remedies)) == list(map(caught.value.remedy.index, remedies))


def test_nothing_is_said_to_be_kept_where_nothing_is(archive: Path, link: Path, served: server.Server) -> None:
    served.always = server.cut(100_000, whole=True)
    with pytest.raises(PrepError) as caught:
        fetch(archive, f"{served.url}/a.tar", "link", link)
    assert "kept" not in str(caught.value)
    assert builders.files_below(archive.parent) == set()


def test_what_lies_there_of_the_archive_is_told(archive: Path, link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (archive.parent / "lost+found").mkdir(parents=True)
    (archive.parent / "a.tar.crdownload").write_bytes(b"half")
    scandir: Callable[..., Any] = os.scandir

    def refuse(path: Path) -> Any:
        if path.name == "lost+found":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        PrepError, match=r"What lies there: .*crdownload: a download of a\.tar that broke off"
    ) as caught:
        fetch(archive, None, "link", link)
    assert "lost+found" not in str(caught.value)
    (archive.parent / "a.tar.crdownload").unlink()
    with pytest.raises(PrepError) as caught:
        fetch(archive, None, "link", link)
    assert "What lies there" not in str(caught.value)


def test_a_damaged_download_is_an_error_and_never_linked(archive: Path, link: Path, served: server.Server) -> None:
    with pytest.raises(PrepError, match=r"kept aside as a\.tar\.bad-") as caught:
        fetch(archive, f"{served.url}/a.tar", "link", link, checksum="0" * 32)
    assert builders.is_one_line(caught.value)
    assert not link.exists()
    assert not archive.exists()
    assert f"{served.url}/a.tar (what came has the md5" in caught.value.problem


@pytest.fixture
def read_only(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of archives is not writable, not even for root."""
    archive.parent.mkdir()
    monkeypatch.setattr(os, "access", not_to_be_written(archive.parent))


def not_to_be_written(folder: Path) -> Callable[[str | Path, int], bool]:
    """`os.access` for whom a folder may be read, and not written to."""
    asked = os.access
    return lambda path, mode: asked(path, mode) and not (Path(path) == folder and mode & os.W_OK)


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("how", ["download", "copy"])
def test_what_a_read_only_folder_cannot_take_goes_to_the_spare_one(
    archive: Path, link: Path, served: server.Server, elsewhere: Path, how: str
) -> None:
    fetch(archive, elsewhere.as_uri() if how == "copy" else f"{served.url}/a.tar", "copy", link)
    assert link.resolve() == link.parents[1] / "downloads" / "a.tar"
    assert link.read_bytes() == CONTENT
    assert builders.files_below(archive.parent) == set()


@pytest.mark.usefixtures("read_only")
def test_what_lies_in_the_spare_folder_is_found_by_later_runs(archive: Path, link: Path, served: server.Server) -> None:
    fetch(archive, f"{served.url}/a.tar", "link", link)
    link.unlink()
    fetch(archive, None, "link", link)
    assert link.read_bytes() == CONTENT


def test_a_part_in_the_spare_folder_is_continued_there(archive: Path, link: Path, served: server.Server) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", not_to_be_written(archive.parent))
        served.next.append(server.good)
        served.always = server.status(404)
        with pytest.raises(PrepError):
            fetch(archive, f"{served.url}/a.tar", "link", link)
    served.always = None
    fetch(archive, f"{served.url}/a.tar", "link", link)
    assert link.resolve() == link.parents[1] / "downloads" / "a.tar"
    assert served.sent == len(CONTENT)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.tar", "http://[bad/a.tar", "file:///nowhere/a.tar", "file://[bad/a.tar"]
)
def test_a_source_that_cannot_be_reached_is_an_error_that_names_it(archive: Path, link: Path, url: str) -> None:
    with pytest.raises(PrepError) as caught:
        fetch(archive, url, "link", link)
    assert url in caught.value.problem
    assert builders.is_one_line(caught.value)


def test_an_archive_without_a_source_is_an_error_that_says_where_to_get_it(archive: Path, link: Path) -> None:
    with pytest.raises(PrepError, match=r"image-net\.org") as caught:
        fetch(archive, None, "link", link)
    assert caught.value.place == str(archive)
