"""Runs snakemake again and again without its imports, which take longer than many runs of the tests.

A process that has imported them forks for each run. All that the workflow itself does is done by each run anew, and its
jobs are a user's.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ENDS = "WARM_SNAKEMAKE"
"""In the environment of a shell: the pipe on which its `snakemake` asks, and the one on which it gets its exit code."""


class Snakemake:
    """Snakemake with its imports behind it, in an environment of some Python."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork takes no threads along
            bufsize=0,  # shells have a part in what is written and read
        )
        assert self._process.stdin and self._process.stdout
        self._ends = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._commands = tempfile.TemporaryDirectory()
        command = Path(self._commands.name, "snakemake")
        command.write_text(f'#!/bin/sh\nexec {shlex.join([python, "-S", __file__])} "$@"\n')
        command.chmod(0o755)

    def run(self, arguments: list[str], folder: Path, env: dict[str, str], output: Path) -> int:
        """Run it to its end in a folder, and return its exit code; what it prints goes into the file `output`."""
        return ask(self._ends, arguments, str(folder), env, str(output))

    def shell(self, script: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Have bash run a script in a folder, in which this is `snakemake`."""
        ends = "{} {}".format(*self._ends)
        return subprocess.run(
            ["bash", "-ec", script],
            cwd=folder,
            env={**env, "PATH": f"{self._commands.name}:{env['PATH']}", ENDS: ends},
            pass_fds=self._ends,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@cache
def running(python: str) -> Snakemake:
    """The one of this process and that Python; it ends with this process."""
    return Snakemake(python)


def ask(ends: tuple[int, int], arguments: list[str], folder: str, env: dict[str, str], output: str) -> int:
    """Ask the process that has the imports for one run, and return its exit code."""
    umask = os.umask(0o077)
    os.umask(umask)
    request = {"arguments": arguments, "folder": folder, "env": env, "output": output, "umask": umask}
    with os.fdopen(ends[0], "wb", closefd=False) as requests:
        requests.write(json.dumps(request).encode() + b"\n")
    with os.fdopen(ends[1], "rb", buffering=0, closefd=False) as answers:
        return int(answers.readline())


def be_a_command() -> int:
    """Be the `snakemake` that a shell has called."""
    requests, answers = map(int, os.environ.pop(ENDS).split())
    with tempfile.NamedTemporaryFile() as output:
        code = ask((requests, answers), sys.argv[1:], os.getcwd(), dict(os.environ), output.name)
        sys.stdout.buffer.write(output.read())
    return code


def imports() -> None:
    """Import what every run of snakemake imports sooner or later; for forks, which need not look at it."""
    importlib.import_module("jsonschema")
    importlib.import_module("smart_open")  # with which Snakemake opens what it reads; with all clients of clouds
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
    if ENDS in os.environ:
        sys.exit(be_a_command())
    imports()
    become(serve())
    sys.exit(importlib.import_module("snakemake.cli").main())
