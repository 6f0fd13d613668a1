"""A proxy in front of a store, on the loopback interface, which passes requests on, or misbehaves as a test says."""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Behaviour = Callable[["Handler"], None]
Wanted = Callable[["Request"], bool]


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    nbytes: int

    @property
    def sends(self) -> bool:
        """Whether it brings content of a file: not to S3's lists and starts of uploads, nor Google's."""
        return self.method in ("PUT", "POST") and self.nbytes > 0

    @property
    def reads(self) -> bool:
        """Whether it asks for content of a file."""
        return self.method == "GET" and ("alt=media" in self.path or not ("?" in self.path or "/b/" in self.path))

    def is_about(self, name: str) -> bool:
        """Whether it is about a file of this name."""
        return name in unquote(self.path)


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        url: its address, without a slash at the end.
        upstream: host and port of the store.
        requests: all that came, in order.
        faults: each with the requests that it is for, and how often it strikes; None: always.
        busy: how many requests are being answered.
        ways: the same, of what belongs to a good store and the one behind cannot.
    """

    url: str
    upstream: str
    requests: list[Request] = field(default_factory=list)
    faults: list[tuple[Wanted, Behaviour, int | None]] = field(default_factory=list)
    ways: list[tuple[Wanted, Behaviour]] = field(default_factory=list)
    busy: int = 0
    lock: threading.Condition = field(default_factory=threading.Condition)

    def misbehave(self, behaviour: Behaviour, wanted: Wanted, times: int | None = 1) -> None:
        """Behave so at the next requests that are wanted."""
        self.faults.append((wanted, behaviour, times))

    @property
    def sent(self) -> list[Request]:
        """The requests that brought content."""
        with self.lock:
            return [request for request in self.requests if request.sends]

    def sent_about(self, name: str) -> int:
        """How many of these were about a file."""
        return sum(request.is_about(name) for request in self.sent)

    def wait_until_idle(self) -> None:
        """Wait for what was asked to be answered, or to fail."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.busy == 0, 60)

    def behaviour_for(self, request: Request) -> Behaviour:
        with self.lock:
            self.requests.append(request)
            for at, (wanted, behaviour, times) in enumerate(self.faults):
                if wanted(request):
                    if times == 1:
                        del self.faults[at]
                    elif times is not None:
                        self.faults[at] = wanted, behaviour, times - 1
                    return behaviour
        return next((behaviour for wanted, behaviour in self.ways if wanted(request)), good)


class Handler(BaseHTTPRequestHandler):
    """Passes one connection's requests on."""

    protocol_version = "HTTP/1.1"
    state: Proxy

    def answer(self) -> None:
        self.length = int(self.headers.get("Content-Length") or 0)
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        nbytes = int(self.headers.get("X-Amz-Decoded-Content-Length") or self.length or self.chunked)
        with self.state.lock:
            self.state.busy += 1
        try:
            self.state.behaviour_for(Request(self.command, self.path, nbytes))(self)
        except OSError:  # the client, or the store, has gone
            self.close_connection = True
        finally:
            with self.state.lock:
                self.state.busy -= 1
                self.state.lock.notify_all()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Say nothing on the terminal."""

    def content(self) -> bytes:
        """What the client sends; a store takes nothing that ends before its announced length.

        Raises:
            ConnectionError: it ended before.
        """
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if not self.chunked:
            content = self.rfile.read(self.length)
            if len(content) < self.length:
                raise ConnectionAbortedError("the client has gone in the middle of what it sends")
            return content
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return content

    def pass_on(self, content: bytes, change: Callable[[bytes], bytes] = bytes) -> None:
        """Send the request, with this content, to the store, and its answer back, changed line by line."""
        skipped = {"expect", "transfer-encoding", "content-length", "connection"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
        store = http.client.HTTPConnection(self.state.upstream, timeout=60)
        try:
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                store.putheader(name, value)
            store.putheader("Content-Length", str(len(content)))
            store.endheaders(content)
            answer = store.getresponse()
            body = change(answer.read())
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(*change(f"{name}: {value}".encode()).decode().split(": ", 1))
            length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body)
        finally:
            store.close()

    def refuse(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def good(handler: Handler) -> None:
    """As the store does."""
    handler.pass_on(handler.content())


def cancel(handler: Handler) -> None:
    """An upload in parts is given up, as Google's store answers."""
    handler.refuse(499)


def cut(handler: Handler) -> None:
    """The connection is closed in the middle of what the client sends."""
    handler.rfile.read(min(handler.length, 1 << 10) // 2)
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def lose_answer(handler: Handler) -> None:
    """The store does what it is asked, and its answer gets lost."""
    handler.wfile = io.BytesIO()  # type: ignore[assignment]
    handler.pass_on(handler.content())
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def unavailable(handler: Handler) -> None:
    """The store is too busy."""
    handler.content()
    body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    handler.refuse(503, body, Content_Type="application/xml")


def denied(handler: Handler) -> None:
    """The store knows the client, and does not let it."""
    handler.content()
    if handler.headers.get("Authorization", "").startswith("AWS4"):
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    else:
        body = b'{"error": {"code": 403, "message": "somebody does not have storage.objects.create access."}}'
    handler.refuse(403, body)


def unknown(handler: Handler) -> None:
    """The store does not know the client."""
    handler.content()
    body = b"<Error><Code>InvalidAccessKeyId</Code><Message>The key is not in our records.</Message></Error>"
    handler.refuse(403, body)


def damage(handler: Handler) -> None:
    """A bit of the content changes on its way."""
    content = bytearray(handler.content())
    content[-len(content) // 3] ^= 1
    handler.pass_on(bytes(content))


def encrypt(handler: Handler) -> None:
    """ETags say nothing of the content, as where S3 encrypts with keys of its own."""
    del handler.headers["If-Match"]  # the one of this name, which the store behind does not know
    handler.pass_on(handler.content(), lambda text: re.sub(rb'(?i)(etag(?:>|: )(?:"|&quot;))\w+', rb"\g<1>0f0f", text))


def hold(until: threading.Event) -> Behaviour:
    """The store takes what is sent, and does no more until something has happened."""

    def behave(handler: Handler) -> None:
        content = handler.content()
        until.wait(60)
        handler.pass_on(content)

    return behave


def watch(seen: Callable[[], object]) -> Behaviour:
    """As the store does, after something was looked at."""

    def behave(handler: Handler) -> None:
        content = handler.content()
        seen()
        handler.pass_on(content)

    return behave


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments: object) -> None:
        """Say nothing on the terminal: a client that went away is what many tests are about."""


@contextlib.contextmanager
def before(url: str) -> Iterator[Proxy]:
    """A proxy in front of a store, until the end of the block."""
    handler = type("PassesOn", (Handler,), {})
    with _Listener(("127.0.0.1", 0), handler) as listener:
        state = Proxy(f"http://127.0.0.1:{listener.server_port}", urlsplit(url).netloc)
        handler.state = state
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            listener.shutdown()
            thread.join()
