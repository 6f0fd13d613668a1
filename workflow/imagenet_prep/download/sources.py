"""Where a download comes from: its address, and the credentials that are sent there and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from imagenet_prep.download.failures import ADDRESS, TOKENS, Refused
from imagenet_prep.errors import PrepError

_TOKEN = re.compile(r"[\x21-\x2b\x2d-\x7e]+")  # visible characters, less the comma between two entries


@dataclass(frozen=True)
class Source:
    """An address, taken apart so that no secret of it gets into a message.

    Attributes:
        url: without user and password.
        shown: without the query and the fragment, too, for messages, logs and journals.
        host: in lower case.
        login: user and password that were in the address.
    """

    url: str = field(repr=False)
    shown: str
    host: str
    login: tuple[bytes, bytes] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Source:
        """Take an http or https address apart.

        Raises:
            Refused: it is none.
        """
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
            parts.port  # noqa: B018 - looking is what finds a port that is none
        except ValueError:
            host = ""
        if not host:
            raise Refused("this is no address that could be asked", ADDRESS)
        netloc = parts.netloc.rpartition("@")[2]
        login = None
        if parts.username is not None:
            login = (unquote(parts.username).encode(), unquote(parts.password or "").encode())
        return cls(parts._replace(netloc=netloc).geturl(), shown(url), host, login)


def shown(url: str) -> str:
    """An address as it may be printed: without user, password, query and fragment."""
    plain = re.sub(r"[?#].*", "", url, flags=re.DOTALL)
    return re.sub(r"^([^/]*//)[^/]*@", r"\1", plain)


def tokens(environment: Mapping[str, str]) -> dict[str, str]:
    """The bearer tokens of the environment by host: IMAGENET_PREP_TOKEN is "host=token[,host=token]".

    Raises:
        PrepError: the variable is of another form; the error does not show it.
    """
    entries = [entry.strip() for entry in environment.get(TOKENS, "").split(",")]
    found = {}
    for entry in filter(None, entries):
        host, equals, token = entry.partition("=")
        if not host or not equals or not _TOKEN.fullmatch(token):
            raise PrepError(
                f"environment variable {TOKENS}",
                "it is not of the form host=token[,host=token]",
                "Write the name of the host, an equals sign and the token that its owner gave you",
            )
        found[host.strip().lower()] = token
    return found


class Session(requests.Session):
    """A connection to a source, which sends each host its own credentials alone.

    A token of the environment goes before a login in the address, and that before ~/.netrc, which requests reads.
    """

    def __init__(self, source: Source, tokens: Mapping[str, str]) -> None:
        super().__init__()
        self._tokens = tokens
        self.headers.update({"User-Agent": "imagenet-prep", "Accept-Encoding": "identity", "Accept": "*/*"})
        token = tokens.get(source.host)
        if token:
            self.auth = _Bearer(token)
        elif source.login:
            self.auth = HTTPBasicAuth(*source.login)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """After a redirect: drop what was for another host, add what is for this one."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        target = urlsplit(prepared_request.url or "")
        token = self._tokens.get((target.hostname or "").lower())
        downgraded = urlsplit(response.url).scheme == "https" and target.scheme != "https"
        if token and not downgraded:
            _Bearer(token)(prepared_request)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
