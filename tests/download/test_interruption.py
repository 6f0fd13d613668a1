"""Ctrl-C while servers keep connections waiting."""

from __future__ import annotations

import _thread
import threading
import time
from types import SimpleNamespace

import pytest

from download import server
from download.conftest import CONTENT, Client
from imagenet_prep.download import mirrors, workers


def test_ctrl_c_waits_for_no_silent_server_and_keeps_what_has_come(served: server.Server, client: Client) -> None:
    over, once = threading.Event(), threading.Lock()

    def stop_the_client(handler: server.Handler) -> None:
        if once.acquire(blocking=False):
            while client.missing == len(CONTENT):
                over.wait(0.01)
            _thread.interrupt_main()
        over.wait(30)
        server.hang_up(handler)

    served.next += [server.good, server.good]
    served.always = stop_the_client
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.download(f"{served.url}/a.tar")
    assert time.monotonic() - start < 10
    over.set()
    served.always = None
    expect_the_rest_to_be_fetched(served, client)


def test_ctrl_c_at_first_loses_nothing(served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            wait_for_bytes(client)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(workers, "threading", SimpleNamespace(**vars(threading) | {"Thread": Interrupted}))
        with pytest.raises(KeyboardInterrupt):
            client.download(f"{served.url}/a.tar", checksum=None)
    expect_the_rest_to_be_fetched(served, client)


def test_a_second_ctrl_c_loses_nothing(served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        wait_for_bytes(client)
        raise KeyboardInterrupt

    class Interrupted(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            super().join(timeout)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(workers.Workers, "_keep_journal", interrupted)
        patched.setattr(workers, "threading", SimpleNamespace(**vars(threading) | {"Thread": Interrupted}))
        with pytest.raises(KeyboardInterrupt):
            client.download(f"{served.url}/a.tar", connections=1)
    assert client.files == {"a.tar.part", "a.tar.part.json"}
    assert client.download(f"{served.url}/a.tar") == CONTENT


@pytest.mark.parametrize("behaviour", [server.good, server.whole, server.whole_without_length])
def test_ctrl_c_while_the_checksum_is_made_loses_nothing(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch, behaviour: server.Behaviour
) -> None:
    served.always = behaviour

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mirrors, "Stream", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.download(f"{served.url}/a.tar")
    assert client.files == {"a.tar.part", "a.tar.part.json"}
    served.requests.clear()
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.requests == []


def expect_the_rest_to_be_fetched(served: server.Server, client: Client) -> None:
    """What has come is there, and another download asks for what is missing alone."""
    assert client.files == {"a.tar.part", "a.tar.part.json"}
    served.forget()
    missing = client.missing
    assert 0 < missing < len(CONTENT)
    assert client.download(f"{served.url}/a.tar") == CONTENT
    assert served.sent == missing


def wait_for_bytes(client: Client) -> None:
    while not any(client.partial.read_bytes()):
        time.sleep(0.001)
