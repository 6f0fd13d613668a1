"""Connections side by side, whichever of them the machine lets go on first."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from download import server
from download.conftest import CONTENT, Client
from imagenet_prep.download import workers
from imagenet_prep.download.connection import Connection


def test_a_late_answer_finds_its_place(served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []

    class Late(threading.Thread):
        def start(self) -> None:
            started.append(self)
            super().start()

        def run(self) -> None:
            while self is started[0] and client.missing == len(CONTENT):
                time.sleep(0.001)
            super().run()

    monkeypatch.setattr(workers, "threading", SimpleNamespace(**vars(threading) | {"Thread": Late}))
    assert client.download(f"{served.url}/a.tar", checksum=None) == CONTENT
    assert len(started) == 4


def test_connections_are_closed_where_a_download_fails(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, closed = [], set()

    class Watched(Connection):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            opened.append(self)

        def close(self) -> None:
            closed.add(self)
            super().close()

    monkeypatch.setattr(workers, "Connection", Watched)
    served.next += [server.good, server.good]
    served.always = server.status(404)
    client.fail(f"{served.url}/a.tar")
    assert len(opened) == 3
    assert closed == set(opened)
