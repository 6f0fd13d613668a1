"""What a server can do wrong, and what becomes of the download."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from email.utils import formatdate

import pytest

from download import server
from download.conftest import CONTENT, KIB, Client, Messages, from_middle_on
from imagenet_prep.download import connection

LOGIN = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"


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
    assert client.download(f"{served.url}/a.tar", stall=30) == CONTENT


def test_the_next_source_is_not_asked_where_one_gives_it(served: server.Server, client: Client) -> None:
    client.download(f"{served.url}/a.tar", f"{served.url}/b.tar")
    assert {request.path for request in served.requests} == {"/a.tar"}


@pytest.mark.parametrize("content", [b"x", CONTENT[: 32 * KIB], CONTENT[: 32 * KIB + 1]])
def test_small_files_come_too(client: Client, content: bytes) -> None:
    with server.running(content) as served:
        assert client.download(f"{served.url}/a.tar", checksum=None) == content


def test_a_server_that_ignores_ranges_is_read_by_one_connection(
    served: server.Server, client: Client, told: Messages
) -> None:
    served.always = server.whole
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert len(served.requests) == 1
    assert any("sends no parts of files: one connection, and each interruption" in line for line in told())


def test_a_server_that_ignores_ranges_and_breaks_off_is_read_from_the_beginning(
    served: server.Server, client: Client
) -> None:
    served.next += [server.cut(100_000, whole=True), server.cut(200_000, whole=True)]
    served.always = server.whole
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == 300_000 + len(CONTENT)


def test_a_server_that_ignores_ranges_and_always_breaks_off_at_the_same_place_is_given_up(
    served: server.Server, client: Client
) -> None:
    served.always = server.cut(100_000, whole=True)
    assert "it was closed early" in client.fail(f"{served.url}/a.tar")
    assert client.files == set()


def test_an_answer_without_a_length_is_read_to_its_end(served: server.Server, client: Client) -> None:
    served.always = server.whole_without_length
    assert client.download(f"{served.url}/a.tar", nbytes=len(CONTENT)) == CONTENT


@pytest.mark.parametrize(("more", "words"), [(1, "closed early"), (-1, "more than the 1000002 bytes")])
def test_an_answer_without_a_length_is_held_against_the_expected_size(
    served: server.Server, client: Client, more: int, words: str
) -> None:
    served.always = server.whole_without_length
    assert words in client.fail(f"{served.url}/a.tar", nbytes=len(CONTENT) + more)


@pytest.mark.parametrize("connections", [1, 4])
def test_the_whole_file_in_place_of_a_part_is_asked_for_again(
    served: server.Server, client: Client, connections: int
) -> None:
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


def test_a_server_that_labels_its_short_answers_rightly_is_asked_for_the_rest_at_once(
    served: server.Server, client: Client
) -> None:
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
    assert client.download(f"{served.url}/a.tar", connections=connections) == CONTENT
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
    assert words in client.fail(f"{served.url}/a.tar")
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


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 520])
def test_a_failure_of_the_server_is_tried_again_with_growing_waits(
    served: server.Server, client: Client, code: int
) -> None:
    served.next += [server.status(code)] * 2
    assert client.download(f"{served.url}/a.tar") == CONTENT
    first, second = client.waits
    assert 0.5 <= first <= 1 <= second <= 2


def test_a_failure_that_lasts_is_told_after_a_bounded_number_of_attempts(served: server.Server, client: Client) -> None:
    served.always = server.status(503)
    assert "HTTP 503 Service Unavailable" in client.fail(f"{served.url}/a.tar")
    assert len(served.requests) == 3


def test_a_failure_that_lasts_half_way_is_told_and_what_has_come_is_kept(served: server.Server, client: Client) -> None:
    served.always = from_middle_on(server.status(500))
    assert "HTTP 500" in client.fail(f"{served.url}/a.tar")
    assert client.files == {"a.tar.part", "a.tar.part.json"}


@pytest.mark.parametrize("connections", [1, 4])
def test_progress_gives_new_attempts(served: server.Server, client: Client, connections: int) -> None:
    served.next += [server.cut(3000)] * 40
    assert client.download(f"{served.url}/a.tar", connections=connections) == CONTENT


def test_as_many_seconds_are_waited_as_the_server_asks_for(served: server.Server, client: Client) -> None:
    served.next += [server.status(429, Retry_After="77")]
    client.download(f"{served.url}/a.tar")
    assert client.waits == [77]


def test_it_is_waited_until_the_time_that_the_server_asks_for(served: server.Server, client: Client) -> None:
    served.next += [server.status(503, Retry_After=formatdate(time.time() + 500, usegmt=True))]
    client.download(f"{served.url}/a.tar")
    assert 490 < client.waits[0] <= 500


@pytest.mark.parametrize("value", ["", "soon", "-5", formatdate(0, usegmt=True)])
def test_a_wait_that_cannot_be_understood_or_is_over_is_an_ordinary_one(
    served: server.Server, client: Client, value: str
) -> None:
    served.next += [server.status(503, Retry_After=value)]
    client.download(f"{served.url}/a.tar")
    assert 0.5 <= client.waits[0] <= 1


def test_a_server_that_asks_to_wait_for_hours_is_given_up(served: server.Server, client: Client) -> None:
    served.always = server.status(429, Retry_After="86400")
    assert "HTTP 429 Too Many Requests, and it asks to wait 86400 s" in client.fail(f"{served.url}/a.tar")


def test_a_server_that_allows_one_connection_is_read_by_one(
    served: server.Server, client: Client, told: Messages
) -> None:
    only = threading.Semaphore(1)

    def one_at_a_time(handler: server.Handler) -> None:
        if handler.client_address not in allowed and not only.acquire(blocking=False):
            server.status(503)(handler)
            return
        allowed.add(handler.client_address)
        server.good(handler)

    def wait_for_progress(event: threading.Event, seconds: float) -> None:
        before = served.sent
        while served.sent == before and not event.wait(0.001):
            pass

    allowed: set[object] = set()
    served.always = one_at_a_time
    assert client.download(f"{served.url}/a.tar", attempts=2, pause=wait_for_progress) == CONTENT
    assert any("one connection less" in line for line in told())


def test_nobody_waits_for_a_connection_that_waits(served: server.Server, client: Client) -> None:
    served.next += [server.good, server.status(503, Retry_After="3000")]
    assert client.download(f"{served.url}/a.tar", pause=threading.Event.wait) == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (server.status(401), "HTTP 401 Unauthorized: it wants an account and your agreement to its terms"),
        (server.status(403), "HTTP 403 Forbidden: it wants an account and your agreement to its terms"),
        (server.status(404), "HTTP 404 Not Found: nothing lies at this address"),
        (server.status(410), "HTTP 410 Gone: nothing lies at this address"),
        (server.status(418), "HTTP 418"),
        (server.status(204), "HTTP 204 No Content"),
        (server.status(416, Content_Range="bytes */0"), "the file there is empty"),
        (server.page(b""), "a web page came in its place"),
        (server.page(LOGIN), "a web page came in its place, such as a form to sign in"),
        (server.page(LOGIN, "application/octet-stream"), "a web page came in its place"),
        (server.page(b"", "application/x-tar"), "the file there is empty"),
    ],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_refusal_is_told_at_once_and_leaves_nothing(
    served: server.Server, client: Client, behaviour: server.Behaviour, words: str, connections: int
) -> None:
    served.always = behaviour
    assert f"{served.url}/a.tar: {words}" in client.fail(f"{served.url}/a.tar", connections=connections)
    assert len(served.requests) == 1
    assert client.files == set()


@pytest.mark.parametrize("behaviour", [server.status(403), server.status(404), server.page(LOGIN)])
def test_a_refusal_half_way_keeps_what_has_come(
    served: server.Server, client: Client, behaviour: server.Behaviour
) -> None:
    served.always = from_middle_on(behaviour)
    client.fail(f"{served.url}/a.tar")
    served.always = None
    served.sent = 0
    missing = client.missing
    assert 0 < missing < len(CONTENT)
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == missing


def test_a_redirect_is_followed(served: server.Server, client: Client) -> None:
    with server.running(b"") as other:
        other.always = server.status(302, Location=f"{served.url}/elsewhere.tar")
        assert client.download(f"{other.url}/a.tar") == CONTENT


def test_a_redirect_to_a_form_to_sign_in_is_told_with_its_address(served: server.Server, client: Client) -> None:
    served.always = lambda handler: (
        server.page(LOGIN) if handler.path.startswith("/login") else server.status(302, Location="/login?back=secret")
    )(handler)
    answer = client.fail(f"{served.url}/a.tar")
    assert f"a web page came in its place, after it led to {served.url}/login, such as a form" in answer


def test_a_redirect_in_a_circle_is_told(served: server.Server, client: Client) -> None:
    served.always = server.status(302, Location="/a.tar")
    assert "it leads in a circle" in client.fail(f"{served.url}/a.tar")


def test_a_wrong_length_is_told_before_the_first_byte(served: server.Server, begun: Client) -> None:
    before = begun.partial.read_bytes()
    with server.running(CONTENT + b"more") as other:
        answer = begun.fail(f"{other.url}/a.tar", nbytes=len(CONTENT))
    assert "it has 1000007 bytes where 1000003 are expected" in answer
    assert begun.partial.read_bytes() == before
