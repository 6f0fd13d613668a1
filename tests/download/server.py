"""An HTTP server on the loopback interface that serves one file, and misbehaves as a test tells it."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass
class Request:
    """What a client asked: the path with its query, and the headers by name."""

    path: str
    headers: Mapping[str, str]

    @property
    def start(self) -> int:
        """The first byte asked for."""
        matched = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(matched[1]) if matched else 0


@dataclass
class Server:
    """A running server.

    Attributes:
        url: its address, without a slash at the end.
        content: the file, which lies at every path.
        etag, modified: sent with it, where not None.
        requests: all that came.
        next: behaviours for the next requests, one each; then comes `always`.
        always: a behaviour for every request; None: a good server's.
        so_far: how many bytes of files were sent by now.
        busy: how many requests are being answered.
    """

    url: str
    content: bytes
    etag: str | None = '"1"'
    modified: str | None = "Tue, 01 May 2012 10:00:00 GMT"
    requests: list[Request] = field(default_factory=list)
    next: deque[Behaviour] = field(default_factory=deque)
    always: Behaviour | None = None
    so_far: int = 0
    busy: int = 0
    lock: threading.Condition = field(default_factory=threading.Condition)

    @property
    def sent(self) -> int:
        """How many bytes of files were sent; told once nothing is being answered, since a client can go before that."""
        self._settle()
        return self.so_far

    def forget(self) -> None:
        """Count from here on."""
        self._settle()
        self.so_far = 0

    def _settle(self) -> None:
        with self.lock:
            assert self.lock.wait_for(lambda: not self.busy, timeout=30)

    def serve(self, handler: Handler) -> None:
        """Answer one request."""
        with self.lock:
            self.requests.append(Request(handler.path, dict(handler.headers)))
            behaviour = self.next.popleft() if self.next else self.always or good
            self.busy += 1
        try:
            behaviour(handler)
        finally:
            with self.lock:
                self.busy -= 1
                self.lock.notify_all()


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's behaviours say."""

    protocol_version = "HTTP/1.1"
    state: Server

    def setup(self) -> None:
        super().setup()
        # What waits in the memory of this end was not transferred, and should not be counted.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)

    def do_GET(self) -> None:
        try:
            self.state.serve(self)
        except OSError:  # the client has gone
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Say nothing on the terminal."""

    @property
    def asked(self) -> tuple[int, int] | None:
        """The range asked for, as first byte and byte after the last, where it is to be answered with a part."""
        matched = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not matched or condition not in (None, self.state.etag, self.state.modified):
            return None
        end = int(matched[2]) + 1 if matched[2] else len(self.state.content)
        return int(matched[1]), min(end, len(self.state.content))

    def head(self, status: int, headers: Mapping[str, Any], reason: str | None = None) -> None:
        self.send_response(status, reason)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()

    def body(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            count = self.connection.send(view[: 1 << 16])
            view = view[count:]
            with self.state.lock:
                self.state.so_far += count

    def labels(self, **others: Any) -> dict[str, Any]:
        """The headers that tell the version of the file."""
        return {"ETag": self.state.etag, "Last-Modified": self.state.modified, "Content-Type": "application/x-tar"} | {
            name.replace("_", "-"): value for name, value in others.items()
        }

    def wait_for_the_client_to_go(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while self.connection.recv(1 << 16):
                pass


def good(handler: Handler) -> None:
    """A part where a part was asked for, else the whole."""
    part(handler)


def part(
    handler: Handler,
    label: tuple[int, int] | None = None,
    nbytes: int | None = None,
    total: int | None = None,
) -> None:
    """A part, or the whole; labelled or of another size as a test wants it."""
    content = handler.state.content
    asked = handler.asked
    if asked is None:
        whole(handler)
        return
    start, end = asked
    if start >= len(content):
        handler.head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": 0})
        return
    first, last = label or (start, end)
    length = nbytes if nbytes is not None else end - start
    size = len(content) if total is None else total
    handler.head(206, handler.labels(Content_Range=f"bytes {first}-{last - 1}/{size}", Content_Length=length))
    handler.body(memoryview(content)[start : start + length])


def whole(handler: Handler) -> None:
    """The whole file, whatever was asked for."""
    handler.head(200, handler.labels(Content_Length=len(handler.state.content)))
    handler.body(handler.state.content)


def whole_without_length(handler: Handler) -> None:
    """The whole file, the end of which is the end of the connection."""
    handler.close_connection = True
    handler.head(200, handler.labels(Connection="close"))
    handler.body(handler.state.content)


def cut(nbytes: int, whole: bool = False) -> Behaviour:
    """An answer that ends early: after so many bytes the connection is closed."""

    def behave(handler: Handler) -> None:
        handler.close_connection = True
        content = handler.state.content
        asked = None if whole else handler.asked
        start, end = asked or (0, len(content))
        status, label = (206, f"bytes {start}-{end - 1}/{len(content)}") if asked else (200, None)
        handler.head(status, handler.labels(Content_Range=label, Content_Length=end - start))
        handler.body(memoryview(content)[start : min(end, start + nbytes)])

    return behave


def stall(nbytes: int) -> Behaviour:
    """An answer that stops after so many bytes, while the connection stays open."""

    def behave(handler: Handler) -> None:
        start, end = handler.asked or (0, len(handler.state.content))
        label = f"bytes {start}-{end - 1}/{len(handler.state.content)}"
        handler.head(206, handler.labels(Content_Range=label, Content_Length=end - start))
        handler.body(memoryview(handler.state.content)[start : start + nbytes])
        handler.wait_for_the_client_to_go()

    return behave


def silent(handler: Handler) -> None:
    """No answer at all."""
    handler.wait_for_the_client_to_go()


def hang_up(handler: Handler) -> None:
    """The connection closed instead of an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def status(code: int, **headers: str) -> Behaviour:
    """An answer with a status code, without a file."""

    def behave(handler: Handler) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.head(code, {"Content-Length": 0} | named)

    return behave


def page(content: bytes, kind: str = "text/html; charset=utf-8") -> Behaviour:
    """A page in place of the file."""

    def behave(handler: Handler) -> None:
        handler.head(200, {"Content-Type": kind, "Content-Length": len(content)})
        handler.body(content)

    return behave


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments: object) -> None:
        """Say nothing on the terminal: a client that went away is what many tests are about."""


@contextlib.contextmanager
def running(content: bytes, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server of this content, until the end of the block."""
    handler = type("Answers", (Handler,), {})
    with _Listener((host, 0), handler) as listener:
        state = Server(f"http://{host}:{listener.server_port}", content)
        handler.state = state
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            listener.shutdown()
            thread.join()
