"""Runs snakemake again and again without its imports, which take longer than many runs of the tests.

A process that has imported them forks for each run. All that the workflow itself does is done by each run anew, and its
jobs are a user's.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any


class Snakemake:
    """Snakemake with its imports behind it, in an environment of some Python."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork takes no threads along
        )

    def run(self, arguments: list[str], folder: Path, env: dict[str, str], output: Path) -> int:
        """Run it to its end in a folder, and return its exit code; what it prints goes into the file `output`."""
        assert self._process.stdin and self._process.stdout
        umask = os.umask(0o077)
        os.umask(umask)
        request = {"arguments": arguments, "folder": str(folder), "env": env, "output": str(output), "umask": umask}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@cache
def running(python: str) -> Snakemake:
    """The one of this process and that Python; it ends with this process."""
    return Snakemake(python)


def imports() -> None:
    """Import what every run of snakemake imports sooner or later; for forks, which need not look at it."""
    importlib.import_module("jsonschema")
    importlib.import_module("snakemake.script")
    importlib.import_module("snakemake.cli").get_argument_parser()  # imports all plugins
    gc.freeze()


def serve() -> dict[str, Any]:
    """Fork for each request and tell how that ended; the forks return their request, and this process exits."""
    for line in sys.stdin.buffer:
        fork = os.fork()
        if not fork:
            request: dict[str, Any] = json.loads(line)
            return request
        _, status = os.waitpid(fork, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


def become(request: dict[str, Any]) -> None:
    """Be what `python -m snakemake` would be, before its first line."""
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for descriptor, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(file, descriptor)
    sys.argv = ["snakemake", *request["arguments"]]
    sys.path[0] = request["folder"]


if __name__ == "__main__":
    imports()
    become(serve())
    sys.exit(importlib.import_module("snakemake.cli").main())
