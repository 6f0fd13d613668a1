"""The download against curl: the same file from the same server on the loopback interface, wall time and CPU time.

    python benchmarks/download.py [--mib 1024] [--rounds 5]

Every contestant runs as a process of its own, start of the interpreter included, one after the other in each round. The
download forces its file to the disk before it gives it its name, and makes a checksum where one is known; so curl is
also timed with `sync`, and with `sync` and `md5sum`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DOWNLOAD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.mirrors import download
from imagenet_prep.download.identity import Wanted
download([sys.argv[2]], Path(sys.argv[3]), int(sys.argv[4]), Wanted("md5", sys.argv[5] or None), Limits())
"""


def serve(path: Path) -> None:
    """Serve one file and its ranges, by sendfile, and print the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                matched = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                start, end = 0, size
                if matched:
                    start, end = int(matched[1]), min(size, int(matched[2] or size - 1) + 1)
                self.send_response(206 if matched else 200)
                self.send_header("Content-Length", str(end - start))
                self.send_header("ETag", '"1"')
                if matched:
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
                self.end_headers()
                while start < end:
                    start += os.sendfile(self.connection.fileno(), file.fileno(), start, end - start)

        def log_message(self, *arguments: object) -> None:
            """Say nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/file", flush=True)
        server.serve_forever()


def measure(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    os.sync()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table of medians, and of what they are to those of curl that does the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        source, target = folder / "source", folder / "downloads" / "target"
        source.write_bytes(os.urandom(1 << 20) * arguments.mib)
        with open(source, "rb") as file:
            checksum = hashlib.file_digest(file, "md5").hexdigest()
        server = subprocess.Popen([sys.executable, __file__, "serve", str(source)], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            compare(url, target, checksum, arguments.rounds)
        finally:
            server.terminate()


def compare(url: str, target: Path, checksum: str, rounds: int) -> None:
    """Run all contestants and print the table."""
    curl = f"curl --silent --show-error --fail --output {target} {url}"
    ours = [sys.executable, "-c", DOWNLOAD, str(CHECKOUT / "workflow"), url, str(target)]
    contestants = {
        "curl": (["sh", "-c", curl], None),
        "curl, sync": (["sh", "-c", f"{curl} && sync {target}"], None),
        "curl, sync, md5sum": (["sh", "-c", f"{curl} && sync {target} && md5sum {target} >{target}.md5"], None),
        "1 connection": ([*ours, "1", ""], "curl, sync"),
        "4 connections": ([*ours, "4", ""], "curl, sync"),
        "1 connection, checksum": ([*ours, "1", checksum], "curl, sync, md5sum"),
        "4 connections, checksum": ([*ours, "4", checksum], "curl, sync, md5sum"),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, (command, _other) in contestants.items():
            shutil.rmtree(target.parent, ignore_errors=True)
            target.parent.mkdir()
            times[name].append(measure(command))
    medians = {name: [statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in times.items()}
    print(f"{'':25} {'wall s':>7} {'CPU s':>7}   to curl: wall, CPU   to curl that does the same: wall, CPU")
    for name, (_, other) in contestants.items():
        wall, cpu = medians[name]
        plain = f"{wall / medians['curl'][0]:15.2f} {cpu / medians['curl'][1]:6.2f}"
        same = f"{wall / medians[other][0]:30.2f} {cpu / medians[other][1]:6.2f}" if other else ""
        print(f"{name:25} {wall:7.2f} {cpu:7.2f} {plain} {same}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
    else:
        main()
