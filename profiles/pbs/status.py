#!/usr/bin/env python3
"""Tells Snakemake how a job of PBS is: prints running, success or failed.

    status.py <job id>

Understands `qstat -x -f` of PBS Pro and OpenPBS (text) and of Torque (XML), and `qstat -f` of all of them. Some servers
forget a job when it ends: then the exit status that jobscript.sh left counts. Runs in the working directory of
Snakemake, with any Python from 3.6 on.
"""

import os
import re
import subprocess
import sys
import time

NOTES = os.path.join(".snakemake", "pbs")
OVER = "CFX"  # completed (Torque), finished, finished part of an array (PBS)
WAIT_FOR_STATUS = 180  # seconds for which a job that is over may have no exit status, before it counts as lost
WAIT_FOR_SERVER = 3600  # seconds for which the server may not answer, before a job counts as lost

# What PBS itself ends a job for; from 256 on it is a signal, 271 that of qdel.
KILLED = {-26: "virtual memory", -27: "memory", -28: "processor time", -29: "wall time"}


def ask(jobid):
    """What qstat says of the job: its text (None if it does not know it), and whether it gave an answer at all."""
    answered = False
    for options in (["-x", "-f"], ["-f"]):
        try:
            run = subprocess.run(
                ["qstat", *options, jobid],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                universal_newlines=True,
                timeout=60,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if run.returncode == 0 and read(run.stdout)[0]:
            return run.stdout, True
        answered = answered or re.search(r"unknown job|has finished", run.stderr, re.IGNORECASE) is not None
    return None, answered


def read(text):
    """The letter of the job's state, and its exit status; None for what is not there."""
    state = re.search(r"^\s*job_state = (\w)|<job_state>(\w)", text, re.MULTILINE)
    status = re.search(r"^\s*exit_status = (-?\d+)|<exit_status>(-?\d+)", text, re.MULTILINE | re.IGNORECASE)
    return state and (state[1] or state[2]), status and int(status[1] or status[2])


def left_status(jobid):
    """The exit status that jobscript.sh left, or None."""
    try:
        with open(os.path.join(NOTES, jobid)) as file:
            return int(file.read())
    except (OSError, ValueError):  # not there, or half-written
        return None


def missing_since(jobid):
    """When this was first called for a job of which nothing is known, in seconds of the epoch."""
    path = os.path.join(NOTES, jobid + ".missing")
    os.makedirs(NOTES, exist_ok=True)
    if not os.path.exists(path):
        open(path, "w").close()
    return os.stat(path).st_mtime


def forget(jobid):
    """Remove what was noted of a job."""
    for name in (jobid, jobid + ".missing"):
        if os.path.exists(os.path.join(NOTES, name)):
            os.remove(os.path.join(NOTES, name))


def word_for(jobid, text, answered, now):
    """The word for Snakemake, and the reason, "" where there is nothing to explain.

    Args:
        jobid: the job, as PBS calls it.
        text: what qstat said of the job, or None.
        answered: whether qstat gave an answer at all.
        now: seconds of the epoch.
    """
    state, status = read(text) if text else (None, None)
    if state and state not in OVER:
        forget(jobid)
        return "running", ""
    status = left_status(jobid) if status is None else status
    if status is None:
        if now - missing_since(jobid) < (WAIT_FOR_STATUS if answered else WAIT_FOR_SERVER):
            return "running", ""
        return "failed", "is over and left no exit status" if answered else "is unknown, since qstat does not answer"
    if status == 0:
        return "success", ""
    return "failed", f"ended with {status}" + (f": too much {KILLED[status]}" if status in KILLED else "")


def main(jobid):
    """Print the word, say why on the terminal, and forget a job that is over."""
    word, why = word_for(jobid, *ask(jobid), time.time())
    if word != "running":
        forget(jobid)
    if why:
        print(f"PBS job {jobid} {why}", file=sys.stderr)
    print(word)


if __name__ == "__main__":
    main(sys.argv[1])
