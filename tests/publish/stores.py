"""Object stores on the loopback interface: Amazon's and Google's ways to speak, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

BUCKET = "bucket"
_PATIENCE = 60.0


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[str]:
    """Moto's S3 server, until the end of the block; its address."""
    log = folder / "moto.log"
    with _process([sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"], log) as process:
        deadline = time.monotonic() + _PATIENCE
        while not (told := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield told[0]


@contextlib.contextmanager
def google(folder: Path) -> Iterator[str]:
    """The emulator of Google Cloud Storage, with a bucket, until the end of the block; its address."""
    port = _free_port()
    program = ["-m", "gcp_storage_emulator", "start", "--in-memory", "--default-bucket", BUCKET]
    command = [sys.executable, *program, "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "google.log"
    with _process(command, log) as process:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
