"""What a run says of archives that are missing and cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from damage import LOGIN_PAGE, digests, expect_clear_end, expect_clear_failure, path_of
from project import Project


class Answers(BaseHTTPRequestHandler):
    """A site without the archive: `/login` gives a web page, `/broken` half of what it promises, the rest 404."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html" if self.path == "/login" else "application/x-tar")
        self.send_header("Content-Length", str(2 * len(LOGIN_PAGE) if self.path == "/broken" else len(LOGIN_PAGE)))
        self.end_headers()
        self.wfile.write(bytes(len(LOGIN_PAGE)) if self.path == "/broken" else LOGIN_PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def site() -> Iterator[str]:
    """A server on this machine, as the beginning of a URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Sources = str | list[str] | None


def at(url: str, sources: Sources) -> Sources:
    """The sources, of that server."""
    if isinstance(sources, list):
        return [source.format(site=url) for source in sources]
    return sources and sources.format(site=url)


SOURCES: dict[str, tuple[Sources, list[str]]] = {
    "train": ("{site}/missing", ["/missing", "HTTP 404"]),
    "test": ("{site}/login", ["/login", "a web page came in its place"]),
    "train_t3": ("{site}/broken", ["/broken", "the connection"]),
    "devkit": ("http://127.0.0.1:9/closed", ["/closed", "Connection refused"]),
    "bbox_train": ("http://no-such-host.invalid/x", ["no-such-host", "the connection failed"]),
    "multilabel": (["{site}/missing", "file:///no/such/archive.tar"], ["HTTP 404", "no such file"]),
}
"""By archive, where it is to be had, and words of what becomes of that."""

NOWHERE: dict[str, tuple[Sources, list[str]]] = {
    "val": (None, ["gives no url"]),
    "bbox_val": ("file:///no/such/archive.tar", ["/no/such/archive.tar", "no such file"]),
    "test": (["file:///no/such/archive.tar", "file:///nor/this"], ["/no/such/archive.tar", "nor from /nor/this"]),
}
"""The same of archives of which a look is enough."""

REMEDY = "Get the archive by hand and put it there"


def test_a_missing_archive_is_named_with_every_source(labelled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    for archive in SOURCES:
        path_of(labelled, archive).unlink()
    with site() as url:
        archives = {
            archive: {"url": at(url, sources), "bytes": 2 * len(LOGIN_PAGE)}
            for archive, (sources, _) in SOURCES.items()
        }
        labelled.configure({"use": list(SOURCES), "archives": archives, "products": ["labels"]})
        before = digests(labelled)
        run = labelled.run("--keep-going", "download")
    for archive, (_, words) in SOURCES.items():
        expect_clear_failure(labelled, run, "fetch_archive", archive, "the archive is not there", REMEDY, *words)
    assert digests(labelled) == before


def test_archives_without_a_source_are_named_before_any_is_asked(labelled: Project) -> None:
    for archive in ("train", *NOWHERE):
        path_of(labelled, archive).unlink()
    with site() as url:
        sources = {archive: {"url": sources} for archive, (sources, _) in NOWHERE.items()}
        sources["train"] = {"url": f"{url}/login", "bytes": 2}
        labelled.configure({"use": ["train", "devkit", *NOWHERE], "archives": sources, "products": ["labels"]})
        before = digests(labelled)
        run = labelled.run("--keep-going", "download")
    for archive, (_, words) in NOWHERE.items():
        expect_clear_end(labelled, run, f"archives/{path_of(labelled, archive).name}", REMEDY, *words)
    assert run.rules == set()
    assert digests(labelled) == before
