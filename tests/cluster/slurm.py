"""A Slurm of three nodes on this one machine, without accounting and without cgroups."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from cluster import patience

CONFIGURATION = Path("/etc/slurm/slurm.conf")
NODES = ("n1", "n2", "n3")
PROGRAMS = {
    "slurmctld": "/usr/sbin/slurmctld",
    "slurmd": "/usr/sbin/slurmd",
    "munged": "/usr/sbin/munged",
    "qsub": "/usr/bin/qsub",
}

# Jobs hang before they begin while a file "hold" lies where they were submitted, until the cluster is stopped. Memory
# is watched by asking once a second what processes have, since there are no cgroups. A node has as many CPUs as a job
# of the tests asks for.
TEMPLATE = """\
# made by tests/cluster
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={state}/state
SlurmdSpoolDir={state}/spool-%n
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd-%n.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={state}/hold.sh
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=3600
KillWait=5
SlurmdParameters=config_overrides
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17003] CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
PartitionName=apart Nodes=n3 MaxTime=INFINITE State=UP
"""
HOLD = '#!/bin/sh\nwhile [ -e "$SLURM_SUBMIT_DIR/hold" -a -e "{script}" ]; do sleep 0.2; done\n'


def impossible() -> str | None:
    """Why a Slurm cannot be started here, if it cannot."""
    if os.geteuid() != 0:
        return "only root can start a Slurm"
    missing = [name for name, path in PROGRAMS.items() if not os.access(path, os.X_OK)]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: slurm-wlm slurm-wlm-torque munge)"
    if CONFIGURATION.exists() and "is UP" in said("scontrol", "ping", check=False):
        return "a Slurm is running on this machine already"
    return None


def said(*command: str, check: bool = True) -> str:
    """What a program says."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=check).stdout


class Slurm:
    """The cluster, with what an administrator does to it.

    Args:
        state: an empty folder for its state and its logs.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.hold = state / "hold.sh"
        self.kept = CONFIGURATION.with_suffix(".conf.kept-by-tests")
        self._munged_before = self._munge_answers()

    def start(self) -> None:
        """Start it, and wait until all nodes are idle."""
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.state / name).mkdir()
        self.hold.write_text(HOLD.format(script=self.hold))
        self.hold.chmod(0o755)
        if CONFIGURATION.exists() and not CONFIGURATION.read_text().startswith(TEMPLATE.splitlines()[0]):
            shutil.copy2(CONFIGURATION, self.kept)
        host = socket.gethostname().partition(".")[0]
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.write_text(TEMPLATE.format(host=host, state=self.state))
        if not self._munged_before:
            Path("/run/munge").mkdir(exist_ok=True)
            shutil.chown("/run/munge", "munge")
            subprocess.run(["runuser", "-u", "munge", "--", PROGRAMS["munged"], "--force"], check=True)
        subprocess.run([PROGRAMS["slurmctld"], "-c"], check=True, capture_output=True)
        for node in NODES:
            self.start_node(node)
        self._expect_idle()

    def stop(self) -> None:
        """End all its jobs and all of it, also what was started by halves, and put back the earlier configuration."""
        with contextlib.ExitStack() as last_first:
            last_first.callback(self._restore_configuration)
            if not self._munged_before:
                last_first.callback(self._kill, Path("/run/munge/munged.pid"), signal.SIGTERM)
            for name in ("slurmctld", *(f"slurmd-{node}" for node in NODES)):
                last_first.callback(self._kill, self.state / f"{name}.pid", signal.SIGTERM)
            self.hold.unlink(missing_ok=True)
            said("scancel", "--user=root", check=False)
            patience.until(lambda: not self.jobs())

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        subprocess.run([PROGRAMS["slurmd"], "-N", node], check=True, capture_output=True)

    def lose_node(self, node: str) -> None:
        """Kill a node's daemon; the controller gives the node up and queues its job anew."""
        self._kill(self.state / f"slurmd-{node}.pid", signal.SIGKILL)
        said("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def return_node(self, node: str) -> None:
        """Start the node again, and take it in."""
        self.start_node(node)
        said("scontrol", "update", f"nodename={node}", "state=resume", check=False)  # it may be in already
        self._expect_idle()

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        said("scancel", job)

    def start_at_once(self, job: str) -> None:
        """Let a job that was queued anew start without the two minutes that it is to wait."""
        patience.until(lambda: self.about(job, "JobState") == "PENDING")
        said("scontrol", "update", f"jobid={job}", "starttime=now")

    def states(self) -> list[str]:
        """The state of each node."""
        return said("sinfo", "--noheader", "--Node", "--format=%t", check=False).split()

    def jobs(self, folder: Path | None = None, state: str = "all") -> list[str]:
        """The jobs that have not ended, of a working directory or of all, in a state (R, PD) or in any."""
        options = [] if state == "all" else [f"--states={state}"]
        lines = said("squeue", "--noheader", "--format=%i %Z", *options, check=False)
        return [job for job, where in re.findall(r"^(\d+) (.+)$", lines, re.MULTILINE) if folder in (None, Path(where))]

    def running(self, folder: Path, after: str = "0") -> str:
        """Wait until a job of this working directory runs that came after another one; return its number."""

        def found() -> list[str]:
            return [job for job in self.jobs(folder, "R") if int(job) > int(after)]

        patience.until(found)
        return found()[0]

    def about(self, job: str, what: str) -> str:
        """One value of what the controller knows of a job, such as JobState, NodeList or Restarts."""
        found = re.search(rf"\b{what}=(\S+)", said("scontrol", "show", "job", job))
        assert found
        return found[1]

    def ended(self, folder: Path) -> list[tuple[str, str, str]]:
        """Comment, state and node of each job of this working directory that has ended, as Slurm remembers them."""
        lines = said("squeue", "--noheader", "--states=all", "--format=%Z|%k|%T|%N").splitlines()
        return [(*line.split("|")[1:],) for line in lines if line.split("|")[0] == str(folder)]  # type: ignore[misc]

    def _expect_idle(self) -> None:
        patience.until(lambda: self.states() == ["idle"] * len(NODES))

    def _restore_configuration(self) -> None:
        CONFIGURATION.unlink(missing_ok=True)
        if self.kept.exists():
            self.kept.rename(CONFIGURATION)

    @staticmethod
    def _munge_answers() -> bool:
        return subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0

    @staticmethod
    def _kill(pid_file: Path, how: signal.Signals) -> None:
        """End a daemon by its own number, and wait until it is gone."""
        if pid_file.exists():
            process = int(pid_file.read_text())
            try:
                os.kill(process, how)
            except ProcessLookupError:
                return
            patience.until(lambda: has_ended(process))


def has_ended(process: int) -> bool:
    """Whether a process is gone, or is left to be waited for by its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
