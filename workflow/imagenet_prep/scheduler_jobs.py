"""What a killed run left in the queue of a cluster: its jobs go on, and write what the next run would write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable

from imagenet_prep.errors import PrepError

_PATIENCE = 60.0  # seconds
_OVER = set("CFX")  # states of PBS (finished, part of an array finished) and of Torque (completed)


def expect_none(jobids: Iterable[str]) -> None:
    """Raise a PrepError if some of these jobs of Slurm or PBS wait or run.

    A scheduler that does not answer, or is not there, knows of none.
    """
    jobids = set(jobids)
    slurm = shutil.which("squeue") is not None
    alive = sorted(jobids & _in_slurm() if slurm else filter(_in_pbs, jobids)) if jobids else []
    if alive:
        listed = " ".join(alive)
        raise PrepError(
            "the queue of this cluster",
            f"jobs of an earlier run, which was killed, are still there: {listed}",
            f"Wait until they have ended, or cancel them ({'scancel' if slurm else 'qdel'} {listed}), "
            "then run the same command again",
        )


def _in_slurm() -> set[str]:
    """The jobs of this user that have not ended; by number, since in a container a user may have no name."""
    return set(_said("squeue", "--noheader", "--format=%i", f"--user={os.getuid()}").split())


def _in_pbs(jobid: str) -> bool:
    state = re.search(r"job_state = (\w)", _said("qstat", "-f", jobid))
    return state is not None and state[1] not in _OVER


def _said(*command: str) -> str:
    """What a program says, or nothing where it fails: PBS's fails for a job that is over."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
