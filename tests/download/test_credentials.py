"""Who is told which secret: the host that it is for, and nobody else."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from download import server
from download.conftest import CONTENT, Client, Messages, later_on
from imagenet_prep.download import sources
from imagenet_prep.errors import PrepError


@pytest.fixture
def other() -> Iterator[server.Server]:
    """A server on another host."""
    with server.running(CONTENT, "127.0.0.2") as running:
        yield running


def sent(to: server.Server) -> set[str | None]:
    return {request.headers.get("Authorization") for request in to.requests}


def basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def test_a_token_of_the_environment_is_sent_to_its_host_only(
    served: server.Server, other: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGENET_PREP_TOKEN", "example.org=abc, 127.0.0.1=s3cret==")
    other.always = server.status(404)
    client.download(f"{other.url}/a.tar", f"{served.url}/a.tar")
    assert sent(served) == {"Bearer s3cret=="}
    assert sent(other) == {None}


def test_a_login_of_netrc_is_sent_to_its_host_only(
    served: server.Server, other: server.Server, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    other.always = server.status(404)
    client.download(f"{other.url}/a.tar", f"{served.url}/a.tar")
    assert sent(served) == {basic("me:s3cret")}
    assert sent(other) == {None}


def test_a_login_of_the_address_is_sent(served: server.Server, client: Client) -> None:
    client.download(served.url.replace("//", "//me:p%40ss%C3%BC@") + "/a.tar")
    assert sent(served) == {basic("me:p@ssü")}


@pytest.mark.parametrize("how", ["token", "address", "netrc"])
def test_a_redirect_to_another_host_takes_no_secret_along(
    served: server.Server,
    other: server.Server,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    how: str,
) -> None:
    url = f"{served.url}/a.tar"
    if how == "token":
        monkeypatch.setenv("IMAGENET_PREP_TOKEN", "127.0.0.1=s3cret")
    elif how == "netrc":
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    else:
        url = url.replace("//", "//me:s3cret@")
    served.always = server.status(302, Location=f"{other.url}/a.tar")
    assert client.download(url) == CONTENT
    assert None not in sent(served)
    assert sent(other) == {None}


def test_a_redirect_leads_to_a_host_with_a_token_of_its_own(
    served: server.Server, other: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGENET_PREP_TOKEN", "127.0.0.1=one,127.0.0.2=two")
    served.always = server.status(302, Location=f"{other.url}/a.tar")
    client.download(f"{served.url}/a.tar")
    assert (sent(served), sent(other)) == ({"Bearer one"}, {"Bearer two"})


def test_a_login_not_accepted_is_told(served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGENET_PREP_TOKEN", "127.0.0.1=s3cret")
    served.always = server.status(401)
    assert "the login or token sent is not accepted" in client.fail(f"{served.url}/a.tar")


@pytest.mark.parametrize("end", ["interrupted", "bad checksum", "refused", "redirected"])
def test_no_secret_gets_into_a_message_a_log_or_a_file(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch, told: Messages, end: str
) -> None:
    monkeypatch.setenv("IMAGENET_PREP_TOKEN", "127.0.0.1=s3cret")
    url = served.url.replace("//", "//me:s3cret@") + "/a.tar?signature=s3cret#s3cret"
    served.next += [server.cut(5)]
    behaviours = {
        "interrupted": later_on(server.status(500)),
        "bad checksum": server.good,
        "refused": server.status(404),
        "redirected": server.status(302, Location="/b?s3cret"),
    }
    served.always = behaviours[end]
    told_last = client.fail(url, checksum="0" * 32)
    assert "s3cret" not in told_last
    assert f"{served.url}/a.tar" in told_last
    files = b"".join(path.read_bytes() for path in client.place.parent.iterdir())
    assert b"s3cret" not in files
    assert b"signature" not in files
    assert "s3cret" not in "\n".join(told())
    assert "s3cret" not in repr(sources.Source.parse(url))


@pytest.mark.parametrize("value", ["s3cret", "=s3cret", "host=", "host=s3cret\nX-Header: 1", "host=s 3cret"])
def test_a_token_of_another_form_is_an_error_that_does_not_show_it(
    served: server.Server, client: Client, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("IMAGENET_PREP_TOKEN", value)
    with pytest.raises(PrepError, match="host=token") as caught:
        client.download(f"{served.url}/a.tar")
    assert "3cret" not in str(caught.value)
    assert served.requests == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host:8080/a%20b.tar?k=v#f", "https://host:8080/a%20b.tar"),
        ("https://host/a@b.tar", "https://host/a@b.tar"),
        ("https://me:p/w@host", "https://me:p/w@host"),
        ("http://[bad/a.tar", "http://[bad/a.tar"),
        ("http://me:pw@[bad/a.tar?s", "http://[bad/a.tar"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert sources.shown(url) == shown


def test_the_environment_of_the_tests_has_no_token() -> None:
    assert sources.tokens(os.environ) == {}
