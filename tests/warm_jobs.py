"""Runs the jobs of a run without the imports of Snakemake's preamble and of Arrow, which take longer than most jobs.

A process that has imported them, and nothing of the workflow, forks for each job. It belongs to the run, so that its
jobs have the run's group, folder and standard output, and the environment that Snakemake gives them, as a user's have.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Forked:
    """What Snakemake wants of a process that runs a script."""

    def __init__(self, requests: socket.socket, script: str, env: dict[str, str]) -> None:
        own, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(requests, [b"?"], [theirs.fileno()])
        with own:
            self._answers = own.makefile("rw")
        self._answers.write(json.dumps({"script": script, "folder": os.getcwd(), "env": env}) + "\n")
        self._answers.flush()
        self.pid = int(self._answers.readline())

    def wait(self) -> int:
        """Its exit code; as of a job that was killed, where it could tell none."""
        with self._answers:
            return int(self._answers.readline() or -signal.SIGKILL)


def imports() -> None:
    """Import what Snakemake imports sooner or later, and what most jobs do; for forks, which need not look at it."""
    for name in ("jsonschema", "pandas", "PIL.Image", "pyarrow.parquet", "requests", "scipy.io", "smart_open"):
        importlib.import_module(name)
    importlib.import_module("snakemake.script")
    importlib.import_module("snakemake.cli").get_argument_parser()  # imports all plugins
    gc.freeze()


def start() -> Callable[[], int] | None:
    """Have Snakemake's scripts run by forks of this process as it is now; return in these, and there alone, the script.

    What is returned runs it, and returns its exit code.
    """
    requests, theirs = socket.socketpair()
    if not os.fork():
        requests.close()
        return _serve(theirs)
    theirs.close()
    scripts = re.compile(rf"set -euo pipefail; +{re.escape(sys.executable)} (\S+/\.snakemake/scripts/\S+\.py)")

    def popen(command: str, **how: Any) -> Forked | subprocess.Popen[Any]:
        script = scripts.fullmatch(command)
        return Forked(requests, script[1], how["env"]) if script else subprocess.Popen(command, **how)

    shell: Any = sys.modules["snakemake.shell"]
    shell.sp = SimpleNamespace(**vars(subprocess) | {"Popen": popen})
    return None


def _serve(requests: socket.socket) -> Callable[[], int]:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a job tells itself how it ended
    while True:
        asked, files, _, _ = socket.recv_fds(requests, 1, 1)
        if not asked:
            os._exit(0)
        if not os.fork():
            requests.close()
            return lambda: _run(socket.socket(fileno=files[0]))
        os.close(files[0])


def _run(connection: socket.socket) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.register_at_fork(after_in_child=connection.close)
    answers = connection.makefile("rw")
    request = json.loads(answers.readline())
    answers.write(f"{os.getpid()}\n")
    answers.flush()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    script: str = request["script"]
    sys.argv, sys.orig_argv = [script], [sys.executable, script]
    sys.path[:1] = [os.path.dirname(script), *os.environ["PYTHONPATH"].split(os.pathsep)]
    tempfile.tempdir = None
    for name in list(sys.modules):
        if name.partition(".")[0] in ("pandas", "sitecustomize"):  # Snakemake's and the machine's; a job comes without
            del sys.modules[name]
    importlib.import_module("sitecustomize")
    code = exit_code(lambda: runpy.run_path(script, run_name="__main__"))
    answers.write(f"{code}\n")
    answers.flush()
    answers.readline()  # until somebody has taken the code: a process that has ended so early could not be measured
    return code


def exit_code(main: Callable[[], object]) -> int:
    """Call `main`, and end as Python does, but for clearing away: each page that is touched then is copied."""
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def snakemake() -> None:
    """Be what `python -m snakemake` is, with jobs that fork; this ends the process."""
    os._exit(exit_code(start() or importlib.import_module("snakemake.cli").main))


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    imports()
    snakemake()
