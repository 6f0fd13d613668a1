"""What is there is never fetched again; and what is there is of one version of one file, or nothing of it is used."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from download import server
from download.conftest import CONTENT, Client, Messages, interrupt, later_on
from imagenet_prep.errors import PrepError

OTHER = CONTENT[::-1]


def test_a_failed_download_is_continued_where_it_was(served: server.Server, begun: Client) -> None:
    missing = begun.missing
    assert begun.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == missing


def test_the_journal_knows_the_source_and_its_version(served: server.Server, begun: Client) -> None:
    record = json.loads(begun.journal.read_text())
    assert record["url"] == f"{served.url}/a.tar"
    assert (record["etag"], record["last_modified"], record["length"]) == (served.etag, served.modified, len(CONTENT))


def test_continuing_asks_for_the_same_version_only(served: server.Server, begun: Client) -> None:
    begun.download(f"{served.url}/a.tar", checksum=None)
    assert {request.headers["If-Range"] for request in served.requests} == {served.etag}


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("labels", [('"2"', None), (None, None), ('W/"1"', "Wed, 02 May 2012 10:00:00 GMT")])
def test_a_node_with_other_labels_goes_on_where_the_checksum_is_known(
    served: server.Server, begun: Client, labels: tuple[str | None, str | None], connections: int
) -> None:
    missing = begun.missing
    served.etag, served.modified = labels
    assert begun.download(f"{served.url}/a.tar", connections=connections) == CONTENT
    assert served.sent == missing


def test_nodes_with_other_labels_take_turns_where_the_checksum_is_known(served: server.Server, client: Client) -> None:
    served.always = relabel(served)
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == len(CONTENT)


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_mixture_is_not_continued_without_a_checksum(
    served: server.Server, begun: Client, told: Messages, is_whole: bool
) -> None:
    served.content, served.etag = OTHER, '"2"'
    interrupt(served, begun, checksum=hashlib.md5(OTHER).hexdigest(), share=0.75)
    if is_whole:
        record = json.loads(begun.journal.read_text())
        begun.journal.write_text(json.dumps(record | {"written": [[0, len(OTHER)]]}))
    assert begun.download(f"{served.url}/a.tar", checksum=None) == OTHER
    assert any("several versions" in line and "starts over" in line for line in told())


def test_other_numbers_of_connections_continue_each_other(served: server.Server, begun: Client) -> None:
    missing = begun.missing
    assert begun.download(f"{served.url}/a.tar", connections=1) == CONTENT
    assert served.sent == missing


def test_continuing_is_said_with_the_share_that_is_there(served: server.Server, begun: Client, told: Messages) -> None:
    begun.download(f"{served.url}/a.tar")
    assert any(line.startswith("continuing downloading a.tar: ") and "%" in line for line in told())


@pytest.mark.parametrize(
    ("etag", "modified", "content", "what"),
    [
        ('"2"', "Tue, 01 May 2012 10:00:00 GMT", OTHER, "another ETag"),
        (None, "Tue, 01 May 2012 10:00:00 GMT", OTHER, "no ETag any more"),
        ('"1"', "Wed, 02 May 2012 10:00:00 GMT", OTHER, "another time of modification"),
        ('"1"', "Tue, 01 May 2012 10:00:00 GMT", OTHER + b"more", "has 1000007 bytes now, and had 1000003"),
        ('"1"', None, OTHER[:10_000], "ends before what has already come"),
    ],
    ids=["etag", "no-etag", "modified", "length", "shorter"],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_changed_source_starts_over_and_says_so(
    served: server.Server,
    begun: Client,
    told: Messages,
    etag: str | None,
    modified: str | None,
    content: bytes,
    what: str,
    connections: int,
) -> None:
    served.etag, served.modified, served.content = etag, modified, content
    checksum = hashlib.md5(content).hexdigest()
    known = checksum if len(content) != len(CONTENT) else None  # with the same length it would be gone on with
    assert begun.download(f"{served.url}/a.tar", checksum=known, connections=connections) == content
    assert any(what in line and "starts over" in line for line in told())


@pytest.mark.parametrize("connections", [1, 4])
def test_a_source_that_changes_midway_gives_no_mixture(served: server.Server, client: Client, connections: int) -> None:
    def change(handler: server.Handler) -> None:
        served.content, served.etag, served.always = OTHER, '"2"', None
        server.good(handler)

    served.next.append(server.cut(20_000))
    served.always = later_on(change) if connections > 1 else change
    assert client.download(f"{served.url}/a.tar", checksum=None, connections=connections) == OTHER


def test_a_source_that_never_stays_the_same_is_given_up(served: server.Server, client: Client) -> None:
    served.always = relabel(served)
    assert "another version each time" in client.fail(f"{served.url}/a.tar", checksum=None, restarts=2)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 200,
        b"[]\n",
        b'{"format": 1}\n',
        b'{"format": 1, "url": "u", "etag": 3, "last_modified": null, "length": 1000003, "written": []}\n',
        b'{"format": 1, "url": "u", "etag": null, "last_modified": null, "length": 1000003, "written": [[5, 2]]}\n',
        b'{"format": 1, "url": "u", "etag": null, "last_modified": null, "length": 9, "written": [[0, 99]]}\n',
        b'{"format": 2, "url": "u", "etag": null, "last_modified": null, "length": 1000003, "written": [[0, 5]]}\n',
    ],
)
def test_a_damaged_journal_starts_over(served: server.Server, begun: Client, told: Messages, damage: bytes) -> None:
    begun.journal.write_bytes(damage)
    assert begun.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == len(CONTENT)
    assert any("its journal is damaged" in line for line in told())


def test_a_journal_of_another_size_starts_over(served: server.Server, begun: Client, told: Messages) -> None:
    os.truncate(begun.partial, 500)
    assert begun.download(f"{served.url}/a.tar") == CONTENT
    assert any("1000003 bytes, and it has 500" in line for line in told())


def test_a_partial_file_of_another_size_starts_over(served: server.Server, begun: Client, told: Messages) -> None:
    served.content = OTHER[:-1]
    checksum = hashlib.md5(served.content).hexdigest()
    assert begun.download(f"{served.url}/a.tar", checksum=checksum, nbytes=len(OTHER) - 1) == served.content
    assert any("1000002 are expected" in line for line in told())


def test_a_partial_file_without_a_journal_starts_over(served: server.Server, begun: Client, told: Messages) -> None:
    begun.journal.unlink()
    assert begun.download(f"{served.url}/a.tar") == CONTENT
    assert any("has no journal" in line for line in told())


def test_a_journal_without_a_partial_file_is_nothing(served: server.Server, begun: Client) -> None:
    begun.partial.unlink()
    assert begun.download(f"{served.url}/a.tar") == CONTENT


def test_a_journal_of_a_former_version_is_believed_as_far_as_it_was_forced_to_the_disk(begun: Client) -> None:
    record = json.loads(begun.journal.read_text()) | {"written": [[0, 70_000]], "boot": "one"}
    begun.journal.write_text(f"{json.dumps(record)}\n[[0, 500000]]\n[[0, 95")
    assert begun.missing == len(CONTENT) - 70_000


def test_the_last_bytes_of_a_killed_run_need_no_server(served: server.Server, client: Client, tmp_path: Path) -> None:
    client.place.parent.mkdir()
    client.partial.write_bytes(CONTENT)
    entry = {"format": 1, "url": "u", "etag": None, "last_modified": None, "length": len(CONTENT)}
    client.journal.write_text(json.dumps(entry | {"written": [[0, len(CONTENT)]]}) + "\n")
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.requests == []


def test_what_a_killed_run_was_writing_beside_the_journal_goes(served: server.Server, begun: Client) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    leftover = begun.journal.with_name(f".{begun.journal.name}.{socket.gethostname()}-{process.pid}.partial")
    leftover.touch()
    assert begun.download(f"{served.url}/a.tar") == CONTENT  # which expects it alone in its folder


def test_two_runs_do_not_write_into_one_file(served: server.Server, begun: Client) -> None:
    with begun.partial.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PrepError, match="another run is downloading this file") as caught:
            begun.download(f"{served.url}/a.tar")
    assert caught.value.place == str(begun.partial)
    assert begun.download(f"{served.url}/a.tar") == CONTENT


def test_without_versions_a_known_checksum_continues(served: server.Server, client: Client, told: Messages) -> None:
    served.etag = served.modified = None
    interrupt(served, client)
    missing = client.missing
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == missing
    client.place.unlink()
    served.next += [server.good, server.cut(50_000, whole=True)]
    assert client.download(f"{served.url}/a.tar", checksum=None) == CONTENT
    assert any("does not tell versions apart: one connection" in line for line in told())
    assert "Range" not in served.requests[-1].headers


def test_a_weak_etag_is_compared_but_not_asked_for(served: server.Server, client: Client, told: Messages) -> None:
    served.etag, served.modified = 'W/"1"', None
    interrupt(served, client, checksum=None)
    served.etag = 'W/"2"'
    assert client.download(f"{served.url}/a.tar", checksum=None) == CONTENT
    assert all("If-Range" not in request.headers for request in served.requests)
    assert any("another ETag" in line for line in told())


def relabel(served: server.Server) -> server.Behaviour:
    """A server that names another version at every request."""

    def behave(handler: server.Handler) -> None:
        served.etag = f'"{len(served.requests)}"'
        server.part(handler)

    return behave
