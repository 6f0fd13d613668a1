"""Several sources of one file, and the checksum that decides in the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from download import server
from download.conftest import CONTENT, Client, Messages, interrupt
from imagenet_prep.download import mirrors
from imagenet_prep.download.identity import Wanted

MD5 = hashlib.md5(CONTENT).hexdigest()
WRONG = CONTENT[::-1]


@pytest.fixture
def other() -> Iterator[server.Server]:
    """Another server of the same file."""
    with server.running(CONTENT) as running:
        yield running


def test_mirrors_are_asked_in_order_and_every_answer_is_told(
    served: server.Server, other: server.Server, client: Client, told: Messages
) -> None:
    served.always, other.always = server.status(404), server.status(403)
    answer = client.fail(f"{served.url}/a.tar", f"{other.url}/b.tar")
    assert answer.index(f"{served.url}/a.tar: HTTP 404") < answer.index(f"{other.url}/b.tar: HTTP 403")
    assert any(f"{served.url}/a.tar: HTTP 404" in line for line in told())


def test_a_known_checksum_continues_from_a_mirror(served: server.Server, other: server.Server, begun: Client) -> None:
    other.etag, served.always = '"another"', server.status(404)
    missing = begun.missing
    assert begun.download(f"{served.url}/a.tar", f"{other.url}/a.tar") == CONTENT
    assert other.sent == missing


def test_the_same_etag_continues_from_a_mirror(served: server.Server, other: server.Server, client: Client) -> None:
    interrupt(served, client, checksum=None)
    served.always = server.status(404)
    missing = client.missing
    assert client.download(f"{served.url}/a.tar", f"{other.url}/a.tar", checksum=None) == CONTENT
    assert other.sent == missing


@pytest.mark.parametrize(("etag", "more"), [('"another"', b""), ('W/"1"', b""), ('"1"', b"more")])
def test_a_part_is_not_continued_from_a_mirror_that_may_have_another_file(
    served: server.Server, other: server.Server, client: Client, told: Messages, etag: str, more: bytes
) -> None:
    interrupt(served, client, checksum=None)
    served.always, other.etag, other.content = server.status(404), etag, CONTENT[::-1] + more
    assert client.download(f"{served.url}/a.tar", f"{other.url}/a.tar", checksum=None) == other.content
    assert any("nothing tells whether it has the same version" in line for line in told())


def test_the_mirror_of_the_part_is_asked_first(served: server.Server, other: server.Server, begun: Client) -> None:
    assert begun.download(f"{other.url}/a.tar", f"{served.url}/a.tar") == CONTENT
    assert other.requests == []


def test_what_one_mirror_broke_off_the_next_ends(served: server.Server, other: server.Server, client: Client) -> None:
    served.next += [server.good, server.cut(300_000)]
    served.always = server.status(404)
    assert client.download(f"{served.url}/a.tar", f"{other.url}/a.tar", connections=1) == CONTENT
    assert served.sent + other.sent == len(CONTENT)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_wrong_file_is_kept_aside_with_the_reason(served: server.Server, client: Client, connections: int) -> None:
    answer = client.fail(f"{served.url}/a.tar", checksum="0" * 32, connections=connections)
    got = hashlib.md5(CONTENT).hexdigest()
    bad = client.place.with_name(f"a.tar.bad-{got[:8]}")
    assert client.files == {bad.name, f"{bad.name}.txt"}
    assert bad.read_bytes() == CONTENT
    reason = bad.with_name(f"{bad.name}.txt").read_text()
    assert all(words in reason for words in (served.url, got, "0" * 32))
    assert all(words in answer for words in (served.url, got, "0" * 32, bad.name))


def test_the_next_mirror_is_asked_where_one_has_another_file(
    served: server.Server, other: server.Server, client: Client, told: Messages
) -> None:
    served.content = WRONG
    bad = client.place.with_name(f"a.tar.bad-{hashlib.md5(WRONG).hexdigest()[:8]}")
    client.place.parent.mkdir()
    mirrors.download([f"{served.url}/a.tar", f"{other.url}/a.tar"], client.place, 4, Wanted("md5", MD5), client.limits)
    assert client.place.read_bytes() == CONTENT
    assert client.files == {"a.tar", bad.name, f"{bad.name}.txt"}
    assert bad.read_bytes() == WRONG
    assert other.sent == len(CONTENT)
    assert any(line.startswith(f"{served.url}/a.tar: what came has the md5") for line in told())


def test_a_wrong_file_is_told_among_the_answers(served: server.Server, other: server.Server, client: Client) -> None:
    served.content, other.always = WRONG, server.status(404)
    answer = client.fail(f"{served.url}/a.tar", f"{other.url}/a.tar")
    assert f"{served.url}/a.tar: what came has the md5" in answer
    assert f"{other.url}/a.tar: HTTP 404" in answer


def test_a_mirror_is_asked_for_all_of_a_wrong_file(served: server.Server, other: server.Server, client: Client) -> None:
    served.content, served.always = WRONG, server.status(404)
    served.next += [server.good, server.cut(300_000)]
    client.place.parent.mkdir()
    urls = [f"{served.url}/a.tar", f"{other.url}/a.tar"]
    mirrors.download(urls, client.place, 1, Wanted("md5", MD5), client.limits)
    assert client.place.read_bytes() == CONTENT
    assert len(CONTENT) < other.sent < 2 * len(CONTENT)


@pytest.mark.parametrize("share", [0.75, None])
def test_a_mixture_of_two_versions_is_fetched_anew(
    served: server.Server, begun: Client, told: Messages, share: float | None
) -> None:
    served.content, served.etag = WRONG, '"2"'
    right = hashlib.md5(WRONG).hexdigest()
    if share:  # the run that ends it is not the one that mixed it
        interrupt(served, begun, share, checksum=right)
    missing = begun.missing
    mirrors.download([f"{served.url}/a.tar"], begun.place, 4, Wanted("md5", right), begun.limits)
    assert begun.place.read_bytes() == WRONG
    assert served.sent == missing + len(WRONG)
    assert any("All of it is fetched anew" in line for line in told())
    assert begun.files == {"a.tar"}  # a mixture is worth no look


def test_nodes_with_two_files_are_read_twice_at_most(served: server.Server, client: Client) -> None:
    def alternate(handler: server.Handler) -> None:
        served.content = WRONG if served.content == CONTENT else CONTENT
        served.etag = hashlib.md5(served.content).hexdigest()
        server.good(handler)

    served.always = alternate
    assert "what came has the md5" in client.fail(f"{served.url}/a.tar", connections=2)
    assert served.sent == 2 * len(CONTENT)


def test_a_wrong_file_of_which_an_earlier_run_received_all_is_kept_aside_and_downloaded_anew(
    served: server.Server, client: Client
) -> None:
    client.place.parent.mkdir()
    client.partial.write_bytes(WRONG)
    entry = {"format": 1, "url": "u", "etag": None, "last_modified": None, "length": len(WRONG)}
    client.journal.write_text(json.dumps(entry | {"written": [[0, len(WRONG)]]}) + "\n")
    mirrors.download([f"{served.url}/a.tar"], client.place, 4, Wanted("md5", MD5), client.limits)
    assert client.place.read_bytes() == CONTENT


def test_a_file_that_was_kept_aside_is_not_continued(served: server.Server, client: Client) -> None:
    client.fail(f"{served.url}/a.tar", checksum="0" * 32)
    for path in client.place.parent.iterdir():
        path.rename(client.place.parents[1] / path.name)
    served.forget()
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == len(CONTENT)


@pytest.mark.parametrize("connections", [1, 3])
def test_only_a_known_checksum_is_held_against_the_file(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    monkeypatch.setattr(mirrors, "Stream", None)  # what reads a file for its checksum
    client.download(f"{served.url}/a.tar", checksum=None, connections=connections)
