"""What profiles/pbs/status.py makes of the words of qstat: those of PBS, of Torque, and of Slurm's stand-in."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path(__file__).resolve().parent.parent / "profiles" / "pbs" / "status.py"

# As OpenPBS writes it for `qstat -x -f`.
OPENPBS = """\
Job Id: 8.host
    Job_Name = write_tfrecord
    Job_Owner = me@host
    resources_used.cpupercent = 97
    resources_used.mem = 186464kb
    resources_used.walltime = 00:10:02
    job_state = {state}
    queue = workq
    server = host
    Error_Path = host:/project/write_tfrecord.e8
    exec_host = n1/0
    Join_Path = oe
    Output_Path = host:/project/results/logs/write_tfrecord/train.log.pbs
    Resource_List.select = 1:ncpus=1:mem=1000mb
    Resource_List.walltime = 01:00:00
    substate = 92
    Variable_List = PBS_O_HOME=/home,PBS_O_LANG=C.UTF-8,PBS_O_LOGNAME=me,
\tPBS_O_PATH=/usr/bin:/bin,PBS_O_WORKDIR=/project,PBS_O_SYSTEM=Linux,
\tPBS_O_QUEUE=workq,PBS_O_HOST=host
    comment = Job run at Sat Nov 21 at 14:02 on (n1:ncpus=1:mem=1024000kb)
{exit_status}    project = _pbs_project_default

"""

# As Torque writes it for `qstat -f`, and for `qstat -x -f`, which means XML there.
TORQUE = """\
Job Id: 8.host
    Job_Name = write_tfrecord
    Job_Owner = me@host
    job_state = {state}
    queue = batch
    Resource_List.walltime = 01:00:00
    Variable_List = PBS_O_QUEUE=batch,PBS_O_HOME=/home,
        PBS_O_LOGNAME=me,PBS_O_WORKDIR=/project
    etime = Sat Nov 21 14:02:33 2026
{exit_status}    submit_args = -N write_tfrecord -j oe
    fault_tolerant = False

"""
TORQUE_XML = (
    "<Data><Job><Job_Id>8.host</Job_Id><Job_Name>write_tfrecord</Job_Name><job_state>{state}</job_state>"
    "<queue>batch</queue>{exit_status}<submit_args>-N write_tfrecord</submit_args></Job></Data>\n"
)

# As the qstat of slurm-wlm-torque writes it, which knows no -x.
SLURM = """\
Job Id:\t8
\tJob_Name = write_tfrecord
\tJob_Owner = root@localhost
\tjob_state = {state}
\tqueue = debug
\tResource_List.walltime = 01:00:00
\tResource_List.ncpus = 1

"""

FORMS = {"openpbs": OPENPBS, "torque": TORQUE, "torque_xml": TORQUE_XML}
WAITING = {"openpbs": "QREHMWSTUB", "torque": "QREHWTS", "torque_xml": "QREHWTS"}
OVER = {"openpbs": "FX", "torque": "C", "torque_xml": "C"}


class Server:
    """A qstat that says what it is told to, and a working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left = folder / ".snakemake" / "pbs"
        self.left.mkdir(parents=True)
        self.says("exit 1")

    def says(self, script: str) -> None:
        qstat = self.folder / "qstat"
        qstat.write_text(f"#!/bin/sh\n{script}\n")
        qstat.chmod(0o755)

    def shows(self, text: str, *, options: str = "-x -f") -> None:
        """Say this where it is asked with these options, and complain of any others."""
        (self.folder / "text").write_text(text)
        self.says(f'[ "$*" = "{options} 8.host" ] && exec cat text\necho "qstat: illegal option" >&2; exit 2')

    def asked(self) -> tuple[str, str]:
        """The word for Snakemake, and what is said on the terminal."""
        run = subprocess.run(
            [sys.executable, STATUS, "8.host"],
            cwd=self.folder,
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.removesuffix("\n"), run.stderr

    def wait(self, seconds: float) -> None:
        """As if this time had passed since the job was missed first."""
        for path in self.left.glob("*.missing"):
            os.utime(path, (path.stat().st_mtime - seconds,) * 2)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def shown(form: str, state: str, exit_status: int | None = None) -> str:
    field = {
        "openpbs": f"    Exit_status = {exit_status}\n",
        "torque": f"    exit_status = {exit_status}\n",
        "torque_xml": f"<exit_status>{exit_status}</exit_status>",
    }[form]
    return FORMS[form].format(state=state, exit_status="" if exit_status is None else field)


@pytest.mark.parametrize(("form", "state"), [(form, state) for form in FORMS for state in WAITING[form]])
def test_a_job_that_waits_or_runs_is_running(server: Server, form: str, state: str) -> None:
    server.shows(shown(form, state))
    assert server.asked() == ("running", "")


@pytest.mark.parametrize(("form", "state"), [(form, state) for form in FORMS for state in OVER[form]])
@pytest.mark.parametrize(
    ("exit_status", "word"), [(0, "success"), (3, "failed"), (-29, "failed"), (271, "failed"), (1, "failed")]
)
def test_a_job_is_judged_by_its_exit_status(server: Server, form: str, state: str, exit_status: int, word: str) -> None:
    server.shows(shown(form, state, exit_status))
    found, said = server.asked()
    assert found == word
    assert (str(exit_status) in said) == (word == "failed")


def test_a_job_that_took_too_long_is_told_so(server: Server) -> None:
    server.shows(shown("openpbs", "F", -29))
    assert server.asked() == ("failed", "PBS job 8.host ended with -29: too much wall time\n")


def test_a_qstat_without_history_is_asked_without_it(server: Server) -> None:
    server.shows(shown("openpbs", "R"), options="-f")
    assert server.asked() == ("running", "")


@pytest.mark.parametrize("unknown", ["qstat: Unknown Job Id 8.host", "qstat: 8.host Job has finished, use -x or -H"])
@pytest.mark.parametrize(("left", "word"), [("0", "success"), ("1", "failed"), ("143", "failed")])
def test_a_forgotten_job_is_judged_by_what_it_left(server: Server, unknown: str, left: str, word: str) -> None:
    server.says(f'echo "{unknown}" >&2; exit 153')
    (server.left / "8.host").write_text(f"{left}\n")
    assert server.asked()[0] == word
    assert list(server.left.iterdir()) == []


@pytest.mark.parametrize("left", ["0", "1"])
def test_where_no_exit_status_is_told_the_one_that_was_left_counts(server: Server, left: str) -> None:
    server.shows(SLURM.format(state="C"), options="-f")
    (server.left / "8.host").write_text(f"{left}\n")
    assert server.asked()[0] == ("success" if left == "0" else "failed")


def lost(server: Server, says: str, before: int, after: int) -> str:
    """What is said of a job that is lost where qstat says this: not `before` so many seconds, but `after` so many."""
    server.says(says)
    assert server.asked()[0] == "running"
    server.wait(before)
    assert server.asked()[0] == "running"
    server.wait(after - before)
    found, said = server.asked()
    assert found == "failed"
    return said


@pytest.mark.parametrize(
    "says",
    [
        'echo "qstat: Unknown Job Id 8.host" >&2; exit 153',
        'echo "qstat: Unknown Job Id Error 8.host" >&2; exit 153',
        'echo "    job_state = F"',
        'echo "    job_state = C"',
    ],
)
def test_a_job_that_is_over_without_an_exit_status_is_lost_after_three_minutes(server: Server, says: str) -> None:
    said = lost(server, says, 170, 185)
    assert "8.host is over and left no exit status" in said
    assert list(server.left.iterdir()) == []


@pytest.mark.parametrize("says", ['echo "qstat: cannot connect to server host (errno=111)" >&2; exit 111', "exit 0"])
def test_a_server_that_does_not_answer_is_waited_for_but_not_for_ever(server: Server, says: str) -> None:
    lost(server, says, 3500, 3700)


def test_a_job_that_is_seen_again_is_not_lost(server: Server) -> None:
    server.says("exit 111")
    assert server.asked()[0] == "running"
    server.wait(3500)
    server.shows(shown("openpbs", "R"))
    assert server.asked()[0] == "running"
    server.says("exit 111")
    server.wait(200)
    assert server.asked()[0] == "running"


def test_an_exit_status_that_is_half_written_is_waited_for(server: Server) -> None:
    server.says('echo "qstat: Unknown Job Id 8.host" >&2; exit 153')
    (server.left / "8.host").write_text("")
    assert server.asked()[0] == "running"
    (server.left / "8.host").write_text("0\n")
    assert server.asked()[0] == "success"


def test_the_script_runs_with_the_old_python_of_a_login_node() -> None:
    text = STATUS.read_text()
    ast.parse(text, feature_version=(3, 6))
    assert re.findall(r"capture_output|removeprefix|removesuffix|text=|from __future__", text) == []
