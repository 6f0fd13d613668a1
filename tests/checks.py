"""What a check said, and its commands typed in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import warm
from project import Project, Run, environment


def problems_of(run: Run) -> list[tuple[str, str, str]]:
    """Of each problem that a check has shown: the check, what is wrong, and what mends it."""
    problems, check = [], ""
    for line, following in pairwise(run.terminal.splitlines()):
        if line.startswith(("ok ", "FAILED ")):
            check = line.split(":")[0]
        if following.strip().startswith("mend: "):
            problems.append((check, line.strip(), following.split("mend: ", 1)[1]))
    return problems


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder as it stands."""
    env = {**environment(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return warm.running(sys.executable).shell(command, folder, env)


def follow(project: Project, *mends: str) -> None:
    """Do what a check says, each command in a shell; none may fail, or find nothing to do."""
    for command in dict.fromkeys(mends):
        done = in_shell(command, project.folder)
        assert done.returncode == 0, (command, done.stdout)
