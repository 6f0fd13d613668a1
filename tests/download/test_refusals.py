"""A server that does not send the file: it fails, asks to wait, refuses, sends a page, or leads elsewhere."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate

import pytest

from download import server
from download.conftest import CONTENT, KIB, Client, Messages, later_on

LOGIN = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 520])
def test_after_a_failure_the_waits_grow(served: server.Server, client: Client, code: int) -> None:
    served.next += [server.status(code)] * 2
    assert client.download(f"{served.url}/a.tar") == CONTENT
    first, second = client.waits
    assert 0.5 <= first <= 1 <= second <= 2


def test_a_failure_that_lasts_is_told_after_a_bounded_number_of_attempts(served: server.Server, client: Client) -> None:
    served.always = server.status(503)
    assert "HTTP 503 Service Unavailable" in client.fail(f"{served.url}/a.tar")
    assert len(served.requests) == 3


def test_a_failure_that_lasts_half_way_is_told_and_what_has_come_is_kept(served: server.Server, client: Client) -> None:
    served.always = later_on(server.status(500))
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
def test_a_wait_that_is_none_is_an_ordinary_one(served: server.Server, client: Client, value: str) -> None:
    served.next += [server.status(503, Retry_After=value)]
    client.download(f"{served.url}/a.tar")
    assert 0.5 <= client.waits[0] <= 1


def test_a_server_that_asks_to_wait_for_hours_is_given_up(served: server.Server, client: Client) -> None:
    served.always = server.status(429, Retry_After="86400")
    assert "HTTP 429 Too Many Requests, and it asks to wait 86400 s" in client.fail(f"{served.url}/a.tar")


def test_one_connection_is_used_where_one_is_allowed(served: server.Server, client: Client, told: Messages) -> None:
    only = threading.Semaphore(1)

    def one_at_a_time(handler: server.Handler) -> None:
        if handler.client_address not in allowed and not only.acquire(blocking=False):
            server.status(503)(handler)
            return
        allowed.add(handler.client_address)
        time.sleep(0.02)
        server.good(handler)

    def wait_for_progress(event: threading.Event, seconds: float) -> None:
        before = client.missing
        while not event.wait(0.001) and before - client.missing < 128 * KIB:  # more than waits to be noted down
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
        (server.status(401), "HTTP 401 Unauthorized: it may want an account, or your agreement to its terms"),
        (server.status(403), "HTTP 403 Forbidden: it may want an account, or your agreement to its terms"),
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
    served.always = later_on(behaviour)
    client.fail(f"{served.url}/a.tar")
    served.always = None
    served.forget()
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
