"""A soak of the download: a server that cuts, stalls and fails at random, and a client that is killed at random.

Run it as `python tests/download/soak.py`; it prints its figures, and exits with 1 where the file that comes is another
one or more than 1.1 times its size was transferred. With the name `client` before an address it is that client.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from download import server  # noqa: E402

CONNECTIONS = 4
MIB = 1 << 20


@dataclass(frozen=True)
class Figures:
    """What a soak found.

    Attributes:
        size: of the file, in bytes.
        sent: bytes that the server handed to its connections.
        kills: how often the client was killed.
        runs: how often it was started.
        requests, failures: how many requests came, and how many of them the server spoiled.
        seconds: from the first start to the end.
        is_identical: whether the file is the right one, and alone in its folder.
    """

    size: int
    sent: int
    kills: int
    runs: int
    requests: int
    failures: int
    seconds: float
    is_identical: bool

    @property
    def ratio(self) -> float:
        """Bytes transferred by bytes of the file."""
        return self.sent / self.size

    def __str__(self) -> str:
        return (
            f"{self.size / MIB:.0f} MiB, {self.kills} kills in {self.runs} runs, {self.failures} of {self.requests} "
            f"requests spoiled, {self.seconds:.0f} s: {'identical' if self.is_identical else 'ANOTHER FILE'}, "
            f"{(self.sent - self.size) / MIB:.1f} MiB wasted, {self.ratio:.3f} times its size transferred"
        )


class Random:
    """Behaviours at random, and a brake: the rate of a fast line, so that what is on its way stays little."""

    def __init__(self, seed: int, rate: float) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._free_at = time.monotonic()
        self.failures = 0

    def __call__(self, handler: server.Handler) -> None:
        with self._lock:
            kind = self._random.choices(["good", "cut", "stall", "500", "503", "hang up"], [75, 10, 3, 4, 4, 4])[0]
            nbytes = int(self._random.expovariate(1 / (8 * MIB)))
            self.failures += kind != "good"
        body = handler.body
        handler.body = lambda data: self._slowly(body, memoryview(data))  # type: ignore[method-assign]
        behaviours = {
            "good": server.good,
            "cut": server.cut(nbytes),
            "stall": server.stall(nbytes),
            "500": server.status(500),
            "503": server.status(503, Retry_After="0"),
            "hang up": server.hang_up,
        }
        try:
            behaviours[kind](handler)
        finally:
            handler.body = body  # type: ignore[method-assign]

    def _slowly(self, body: object, data: memoryview) -> None:
        for start in range(0, len(data), 1 << 16):
            block = data[start : start + (1 << 16)]
            with self._lock:
                now = time.monotonic()
                self._free_at = max(now, self._free_at) + len(block) / self._rate
                wait = self._free_at - now
            self._pause.wait(wait)
            body(block)  # type: ignore[operator]


def soak(folder: Path, size: int, kills: int, rate: float, seed: int = 0) -> Figures:
    """Download a file of so many random bytes at so many bytes a second, and kill the client so many times."""
    chance = random.Random(seed)
    content = b"".join(chance.randbytes(min(MIB, size - start)) for start in range(0, size, MIB))
    checksum = hashlib.md5(content).hexdigest()
    done, runs = 0, 0
    with server.running(content) as served:
        behave = Random(seed, rate)
        served.always = behave
        place = folder / "archives" / "soak.tar"
        place.parent.mkdir()
        command = [sys.executable, __file__, "client", f"{served.url}/soak.tar", str(place), checksum]
        start = time.monotonic()
        while not place.exists():
            # As many bytes as are left, shared out over the kills that are left, with chance.
            aim = served.so_far + chance.uniform(0.2, 1.5) * max(0, size - served.so_far) / (kills - done + 1)
            client = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            runs += 1
            while client.poll() is None:
                if done < kills and served.so_far > aim:
                    client.send_signal(signal.SIGKILL)
                    done += 1
                    break
                behave._pause.wait(0.002)
            _, last = client.communicate()
            if client.returncode not in (0, -signal.SIGKILL):
                raise RuntimeError(last)
        seconds = time.monotonic() - start
        identical = place.read_bytes() == content and os.listdir(place.parent) == [place.name]
        return Figures(size, served.sent, done, runs, len(served.requests), behave.failures, seconds, identical)


def download(url: str, place: Path, checksum: str) -> None:
    """What a run of the workflow does, with shorter waits."""
    from imagenet_prep.download.limits import Limits
    from imagenet_prep.engine.archive_check import Expected
    from imagenet_prep.engine.fetch import find_or_fetch

    config = {
        "archives_dir": place.parent,
        "output_dir": place.parents[1] / "results",
        "archives": {"train": {"file": place.name, "url": url, "md5": checksum, "sha256": None, "bytes": None}},
        "download": {"connections": CONNECTIONS, "local": "link"},
        "synthetic": None,
    }
    find_or_fetch(config, "train", Expected("md5", checksum), Limits(stall=1, backoff=0.01, first_attempts=20))


def main() -> int:
    """Print the figures of one soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--kills", type=int, default=50, help="how often the client is killed")
    parser.add_argument("--rate", type=float, default=100, help="MB/s of the server")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = soak(Path(folder), arguments.mib * MIB, arguments.kills, arguments.rate * 1e6, arguments.seed)
    print(figures)
    return int(not figures.is_identical or figures.ratio > 1.1 or figures.kills < arguments.kills)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        download(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(main())
