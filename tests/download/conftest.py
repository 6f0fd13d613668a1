"""A server that misbehaves, a place to download to, and limits that let no test wait."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from download import server
from imagenet_prep.download import limits, mirrors, partial, ranges
from imagenet_prep.download.identity import Wanted

CONTENT = random.Random(0).randbytes(1_000_003)
KIB = 1 << 10


@pytest.fixture
def served() -> Iterator[server.Server]:
    """A server of `CONTENT`."""
    with server.running(CONTENT) as running:
        yield running


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the tokens nor the proxies nor the netrc file of whoever runs the tests."""
    for name in ("IMAGENET_PREP_TOKEN", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@dataclass
class Client:
    """Downloads to `place`.

    Attributes:
        waits: the seconds that it would have waited.
    """

    place: Path
    waits: list[float] = field(default_factory=list)

    @property
    def limits(self) -> limits.Limits:
        return limits.Limits(
            connect=1,
            stall=30,
            attempts=4,
            first_attempts=3,
            block=16 * KIB,
            smallest_piece=32 * KIB,
            largest_piece=64 * KIB,
            settled=0,
            tick=0.002,
            pause=lambda event, seconds: self.waits.append(seconds),
        )

    def download(
        self,
        *urls: str,
        connections: int = 4,
        checksum: str | None = hashlib.md5(CONTENT).hexdigest(),
        nbytes: int | None = None,
        **changes: Any,
    ) -> bytes:
        """Download, and return what is there then."""
        self.place.parent.mkdir(exist_ok=True)
        wanted = Wanted("md5", checksum, nbytes)
        mirrors.download(urls, self.place, connections, wanted, replace(self.limits, **changes))
        assert self.files == {self.place.name}
        return self.place.read_bytes()

    def fail(self, *urls: str, **how: Any) -> str:
        """Download, which must not succeed; return what the sources answered."""
        with pytest.raises(mirrors.NotHad) as caught:
            self.download(*urls, **how)
        assert not self.place.exists()
        return str(caught.value)

    @property
    def files(self) -> set[str]:
        """What lies beside the place."""
        return {path.name for path in self.place.parent.iterdir()}

    @property
    def missing(self) -> int:
        """How many bytes the journal says are not there."""
        journal = partial.Journal.read(self.journal)
        assert journal is not None
        return len(CONTENT) - ranges.total(journal.written)

    @property
    def journal(self) -> Path:
        return self.place.with_name(f"{self.place.name}.part.json")

    @property
    def partial(self) -> Path:
        return self.place.with_name(f"{self.place.name}.part")


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "archives" / "a.tar")


@pytest.fixture
def begun(served: server.Server, client: Client) -> Client:
    """A client with a part of the file, about half of it, after a run that failed."""
    interrupt(served, client)
    return client


def interrupt(served: server.Server, client: Client, share: float = 0.5, **how: Any) -> None:
    """Let a download fail about half-way, or after another share, and the server be a good one again."""
    served.always = later_on(server.status(404), share)
    client.fail(f"{served.url}/a.tar", **how)
    served.forget()
    served.always = None
    served.requests.clear()
    assert 0 < client.missing < len(CONTENT)


def later_on(behaviour: server.Behaviour, share: float = 0.5) -> server.Behaviour:
    """A server that behaves so where the second half is asked for, or what comes after another share."""

    def behave(handler: server.Handler) -> None:
        asked = handler.asked
        (behaviour if asked and asked[0] > len(CONTENT) * share else server.good)(handler)

    return behave


Messages = Callable[[], Sequence[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Messages:
    """What was logged."""
    caplog.set_level("INFO")
    return lambda: [record.getMessage() for record in caplog.records]
