"""What a server's answer means: the bytes asked for, a reason to try again, or a reason to give up, each in words."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests
import urllib3.exceptions

from imagenet_prep.download.failures import (
    ADDRESS,
    BY_HAND,
    CERTIFICATE,
    CREDENTIALS,
    LATER,
    Changed,
    Failure,
    Interrupted,
    Refused,
    stalled,
)
from imagenet_prep.download.identity import Identity
from imagenet_prep.download.sources import shown

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_TO_TRY_AGAIN = {408, 425, 429}
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """Headers of an answer that brings bytes.

    Attributes:
        identity: of the version that they are of.
        start: offset of the first byte.
        end: offset after the last byte that it brings; None where the server does not tell.
        is_part: whether the server sends the range asked for, and not the whole file.
    """

    identity: Identity
    start: int
    end: int | None
    is_part: bool


def read(response: requests.Response, start: int, end: int, longest_wait: float) -> Answer:
    """Read the head of an answer to a request for the bytes from `start` to before `end`.

    Raises:
        Refused, Interrupted: as they say.
        Changed: the source ends before `start`.
    """
    status = response.status_code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        if start == 0:
            raise Refused("the file there is empty", BY_HAND)
        raise Changed("it ends before what has already come (HTTP 416)")
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise _failure(response, longest_wait)
    if response.headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml")):
        raise web_page(response)
    etag, modified = (response.headers.get(name) for name in ("ETag", "Last-Modified"))
    if status == HTTPStatus.OK:
        size = _number(response.headers.get("Content-Length", ""))
        return Answer(Identity(size, etag, modified), 0, size, is_part=False)
    sent = response.headers.get("Content-Range", "")
    matched = _CONTENT_RANGE.fullmatch(sent.strip())
    asked = f"bytes {start}-{end - 1}"
    if not matched or int(matched[1]) != start or int(matched[2]) < start:
        raise Interrupted(f"{asked} were asked for, and its answer is labelled {sent or 'with no range'!r}", BY_HAND)
    if int(matched[2]) >= end:
        raise Interrupted(f"{asked} were asked for, and it sends too much: {sent!r}", BY_HAND)
    return Answer(Identity(_number(matched[3]), etag, modified), start, int(matched[2]) + 1, is_part=True)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def is_web_page(data: bytes) -> bool:
    """Whether a file that begins so is a web page."""
    return _WEB_PAGE.match(data) is not None


def web_page(response: requests.Response) -> Refused:
    """The refusal where a web page comes."""
    where = f", after it led to {shown(response.url)}" if response.history else ""
    return Refused(f"a web page came in its place{where}, such as a form to sign in", CREDENTIALS)


def _failure(response: requests.Response, longest_wait: float) -> Failure:
    status = response.status_code
    answer = f"HTTP {status} {response.reason or ''}".strip()
    if response.history:
        answer += f", after it led to {shown(response.url)}"
    if status in (401, 403, 407):
        if "Authorization" in response.request.headers:
            return Refused(f"{answer}: the login or token sent is not accepted, or may not read this", CREDENTIALS)
        return Refused(f"{answer}: it may want an account, or your agreement to its terms", CREDENTIALS)
    if status in (404, 410):
        return Refused(f"{answer}: nothing lies at this address", ADDRESS)
    if status in _TO_TRY_AGAIN or status >= 500:
        wait = _retry_after(response.headers.get("Retry-After"))
        if wait is None:
            return Interrupted(answer)
        answer += f", and it asks to wait {wait:.0f} s"
        return Interrupted(answer, wait=wait) if wait <= longest_wait else Refused(answer, LATER)
    return Refused(answer, BY_HAND)


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, of a header Retry-After: a number, or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def failure_of(error: Exception, connect: float, stall: float) -> Failure:
    """What an error of requests or urllib3 means."""
    chain = list(_chain(error))
    if any(isinstance(e, _NO_ADDRESS) for e in chain):
        return Refused("this is no address that could be asked", ADDRESS)
    if isinstance(error, requests.TooManyRedirects):
        return Refused("it leads in a circle (too many redirects)", ADDRESS)
    if any(isinstance(e, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)) for e in chain):
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Refused("it cannot be trusted: its certificate could not be verified", CERTIFICATE)
        return Interrupted("the encrypted connection failed")
    # urllib3 derives the error of a connection that was refused from the one of a connection that took too long.
    refused = any(isinstance(e, urllib3.exceptions.NewConnectionError) for e in chain)
    if not refused and any(isinstance(e, urllib3.exceptions.ConnectTimeoutError) for e in chain):
        return Interrupted(f"it took no connection for {connect:g} s")
    if any(isinstance(e, (TimeoutError, urllib3.exceptions.ReadTimeoutError)) for e in chain):
        return stalled(stall)
    if any(isinstance(e, (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)) for e in chain):
        return Interrupted(f"the proxy did not lead there: {_reason(chain)}")
    return Interrupted(f"the connection failed: {_reason(chain)}")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        inner = next((a for a in (getattr(error, "reason", None), *error.args) if isinstance(a, BaseException)), None)
        error = inner or error.__cause__ or error.__context__
    return found


def _reason(chain: list[BaseException]) -> str:
    """What the operating system said, below the errors that requests and urllib3 put around it."""
    for error in reversed(chain):
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
    if any(isinstance(error, urllib3.exceptions.IncompleteRead) for error in chain):
        return "it was closed early"
    return "it was closed without an answer"
