"""What a server can do wrong with the bytes and the connection, and what becomes of the download."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

import pytest

from download import server
from download.conftest import CONTENT, KIB, Client, Messages
from imagenet_prep.download import connection


@pytest.mark.parametrize("connections", [1, 2, 4, 16])
def test_a_good_server_sends_each_byte_once(served: server.Server, client: Client, connections: int) -> None:
    assert client.download(f"{served.url}/a.tar", connections=connections, nbytes=len(CONTENT)) == CONTENT
    assert served.sent == len(CONTENT)


def test_several_connections_fetch_at_the_same_time(served: server.Server, client: Client) -> None:
    together = threading.Barrier(4, timeout=30)

    def wait(handler: server.Handler) -> None:
        together.wait()
        server.good(handler)

    served.next += [server.good, wait, wait, wait, wait]
    assert client.download(f"{served.url}/a.tar") == CONTENT


def test_the_next_source_is_not_asked_where_one_gives_it(served: server.Server, client: Client) -> None:
    client.download(f"{served.url}/a.tar", f"{served.url}/b.tar")
    assert {request.path for request in served.requests} == {"/a.tar"}


@pytest.mark.parametrize("content", [b"x", CONTENT[: 32 * KIB], CONTENT[: 32 * KIB + 1]])
def test_small_files_come_too(client: Client, content: bytes) -> None:
    with server.running(content) as served:
        assert client.download(f"{served.url}/a.tar", checksum=None) == content


def test_without_ranges_there_is_one_connection(served: server.Server, client: Client, told: Messages) -> None:
    served.always = server.whole
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert len(served.requests) == 1
    assert any("sends no parts of files: one connection, and each interruption" in line for line in told())


def test_without_ranges_a_broken_download_begins_anew(served: server.Server, client: Client) -> None:
    served.next += [server.cut(100_000, whole=True), server.cut(200_000, whole=True)]
    served.always = server.whole
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == 300_000 + len(CONTENT)


def test_without_ranges_what_always_breaks_off_is_given_up(served: server.Server, client: Client) -> None:
    served.always = server.cut(100_000, whole=True)
    assert "it was closed early" in client.fail(f"{served.url}/a.tar")
    assert client.files == set()


def test_an_answer_without_a_length_is_read_to_its_end(served: server.Server, client: Client) -> None:
    served.always = server.whole_without_length
    assert client.download(f"{served.url}/a.tar", nbytes=len(CONTENT)) == CONTENT


@pytest.mark.parametrize(("more", "words"), [(1, "closed early"), (-1, "more than the 1000002 bytes")])
def test_without_a_length_the_expected_one_counts(served: server.Server, client: Client, more: int, words: str) -> None:
    served.always = server.whole_without_length
    assert words in client.fail(f"{served.url}/a.tar", nbytes=len(CONTENT) + more)


@pytest.mark.parametrize("connections", [1, 4])
def test_the_whole_in_place_of_a_part_is_no_part(served: server.Server, client: Client, connections: int) -> None:
    served.next += [server.cut(1000), server.whole]
    assert client.download(f"{served.url}/a.tar", connections=connections) == CONTENT


def test_a_server_that_sends_no_parts_any_more_leaves_what_is_there(served: server.Server, begun: Client) -> None:
    served.always = server.whole
    assert "sends the whole file where a part of it was asked for" in begun.fail(f"{served.url}/a.tar")
    assert begun.partial.stat().st_size == len(CONTENT)
    served.always = None
    assert begun.download(f"{served.url}/a.tar") == CONTENT


@pytest.mark.parametrize("connections", [1, 4])
def test_too_little_is_continued(served: server.Server, client: Client, connections: int) -> None:
    served.next += [server.cut(n) for n in (1, 5000, 0, 20_000)]
    assert client.download(f"{served.url}/a.tar", connections=connections) == CONTENT
    assert served.sent == len(CONTENT)


def test_after_a_short_answer_the_rest_is_asked_for_at_once(served: server.Server, client: Client) -> None:
    def short(handler: server.Handler) -> None:
        start, end = handler.asked or (0, 0)
        end = min(end, start + 10_000)
        server.part(handler, label=(start, end), nbytes=end - start)

    served.always = short
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert client.waits == []


@pytest.mark.parametrize("connections", [1, 2])
def test_too_much_is_never_written(served: server.Server, client: Client, connections: int) -> None:
    served.always = lambda handler: server.part(handler, nbytes=100_000)
    assert client.download(f"{served.url}/a.tar", connections=connections) == CONTENT


def test_a_label_of_more_than_was_asked_for_is_told(served: server.Server, client: Client) -> None:
    served.always = lambda handler: server.part(handler, label=(0, len(CONTENT)))
    assert "bytes 0-32767 were asked for, and it sends too much" in client.fail(f"{served.url}/a.tar")


def test_a_label_of_another_part_is_told(served: server.Server, client: Client) -> None:
    served.always = lambda handler: server.part(handler, label=(5, 32 * KIB))
    words = "bytes 0-32767 were asked for, and its answer is labelled 'bytes 5-32767/1000003'"
    assert words in client.fail(f"{served.url}/a.tar")
    assert client.files == set()


def test_another_part_half_way_is_not_written(served: server.Server, client: Client) -> None:
    served.next += [server.good, lambda handler: server.part(handler, label=(0, 7))]
    assert client.download(f"{served.url}/a.tar") == CONTENT


@pytest.mark.parametrize("behaviour", [server.silent, server.hang_up, server.stall(0), server.stall(9000)])
@pytest.mark.parametrize("connections", [1, 2])
def test_a_connection_that_stalls_or_breaks_is_replaced(
    served: server.Server, client: Client, behaviour: server.Behaviour, connections: int
) -> None:
    served.next += [behaviour, server.good, behaviour]
    assert client.download(f"{served.url}/a.tar", connections=connections, stall=1) == CONTENT
    assert served.sent <= len(CONTENT) + 9000


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (server.silent, "it stalled: next to nothing came for 0.3 s"),
        (server.stall(0), "it stalled: next to nothing came for 0.3 s"),
        (server.hang_up, "the connection failed"),
    ],
)
def test_a_server_that_never_sends_is_given_up(
    served: server.Server, client: Client, behaviour: server.Behaviour, words: str
) -> None:
    served.always = behaviour
    assert words in client.fail(f"{served.url}/a.tar", stall=0.3)
    assert client.files == set()


def test_a_server_that_is_not_there_is_tried_again_and_told(client: Client) -> None:
    assert "the connection failed: Connection refused" in client.fail("http://127.0.0.1:9/a.tar")
    assert len(client.waits) == 2


def test_a_host_that_is_not_there_is_told(client: Client) -> None:
    assert "http://no-such-host.invalid/a.tar: the connection failed: " in client.fail(
        "http://no-such-host.invalid/a.tar"
    )


def test_a_server_that_takes_no_connection_is_told(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy, contextlib.ExitStack() as waiting:
        for _ in range(3):
            other = waiting.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(busy.getsockname())
        url = f"http://127.0.0.1:{busy.getsockname()[1]}/a.tar"
        assert "it took no connection for 0.1 s" in client.fail(url, connect=0.1)


def test_a_server_that_sends_a_byte_now_and_then_stalls(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch, told: Messages
) -> None:
    hours = itertools.count(step=3600)
    monkeypatch.setattr(connection.time, "monotonic", lambda: float(next(hours)))
    assert client.download(f"{served.url}/a.tar", connections=1, slowest=0) == CONTENT
    client.place.unlink()
    client.fail(f"{served.url}/a.tar", connections=1, slowest=KIB, attempts=1)
    assert any("it stalled" in line for line in told())


def test_a_wrong_length_is_told_before_the_first_byte(served: server.Server, begun: Client) -> None:
    before = begun.partial.read_bytes()
    with server.running(CONTENT + b"more") as other:
        answer = begun.fail(f"{other.url}/a.tar", nbytes=len(CONTENT))
    assert "it has 1000007 bytes where 1000003 are expected" in answer
    assert begun.partial.read_bytes() == before
