"""Getting an archive: what lies there is used and never written to; else it is linked, copied or downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import builders
from imagenet_prep.dataset.fetch import fetch
from imagenet_prep.errors import PrepError

CONTENT = bytes(range(256)) * 9000


class Answers(BaseHTTPRequestHandler):
    """Serves one archive, one that breaks off, and a form to sign in."""

    def do_GET(self) -> None:
        kind, length, content = "application/x-tar", len(CONTENT), CONTENT
        if self.path == "/short.tar":
            content = CONTENT[:1_500_000]
        elif self.path == "/login.tar":
            kind, length, content = "text/html; charset=utf-8", 6, b"<html>"
        elif self.path != "/a.tar":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing on the terminal."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


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


@pytest.mark.parametrize("form", ["path", "url"])
def test_an_archive_elsewhere_is_linked_where_it_lies(archive: Path, link: Path, elsewhere: Path, form: str) -> None:
    fetch(archive, str(elsewhere) if form == "path" else elsewhere.as_uri(), "link", link)
    assert link.resolve() == elsewhere
    assert not archive.exists()


@pytest.mark.parametrize("form", ["path", "url"])
def test_an_archive_elsewhere_is_copied_where_that_is_wanted(
    archive: Path, link: Path, elsewhere: Path, form: str
) -> None:
    fetch(archive, str(elsewhere) if form == "path" else elsewhere.as_uri(), "copy", link)
    assert link.resolve() == archive
    assert archive.read_bytes() == elsewhere.read_bytes()
    assert builders.files_below(archive.parent) == {"a.tar"}


def test_an_archive_is_downloaded(archive: Path, link: Path, server: str) -> None:
    fetch(archive, f"{server}/a.tar", "link", link)
    assert link.resolve() == archive
    assert archive.read_bytes() == CONTENT


def test_the_next_source_is_asked_when_one_does_not_have_it(archive: Path, link: Path, server: str) -> None:
    fetch(archive, ["http://127.0.0.1:9/a.tar", f"{server}/none.tar", f"{server}/a.tar"], "link", link)
    assert archive.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "answer"),
    [("none.tar", "HTTP 404"), ("login.tar", "a web page"), ("short.tar", "ended before all of its 2304000 bytes")],
)
def test_a_source_that_does_not_have_it_is_an_error_with_its_answer(
    archive: Path, link: Path, server: str, name: str, answer: str
) -> None:
    with pytest.raises(PrepError) as caught:
        fetch(archive, f"{server}/{name}", "link", link)
    assert caught.value.place == str(archive)
    assert f"{server}/{name}" in caught.value.problem
    assert answer in caught.value.problem
    assert builders.is_one_line(caught.value)
    assert not link.exists()
    assert not archive.parent.exists() or builders.files_below(archive.parent) == set()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.tar", "gopher://a/b", "http://[bad/a.tar", "file:///nowhere/a.tar", "nowhere/a.tar"]
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
