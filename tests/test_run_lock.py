"""One run at a time in an output folder, and none beside jobs that a killed run has left."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagenet_prep import run_lock
from imagenet_prep.errors import PrepError

LIBRARY = Path(run_lock.__file__).parents[1]

# What another process does: says so, and then does nothing until it is killed, or told to end.
BODIES = {
    "run": "lock = run_lock.hold(state); print(lock.id, flush=True); input(); lock.release()",
    "job": "with run_lock.job_holds(state): print('writes', flush=True); input()",
    "job with a fork": (
        "with run_lock.job_holds(state):\n"
        "    if os.fork() == 0: print(os.getpid(), flush=True); time.sleep(60); os._exit(0)\n"
        "    time.sleep(60)"
    ),
    "run with a fork": (
        "lock = run_lock.hold(state)\n"
        "if os.fork() == 0: lock.release(); print(os.getpid(), flush=True); time.sleep(60); os._exit(0)\n"
        "time.sleep(60)"
    ),
    "run with a child": (
        "lock = run_lock.hold(state)\n"
        "print(subprocess.Popen(['sleep', '60'], close_fds=False, stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "time.sleep(60)"
    ),
}
PREAMBLE = """\
import errno, fcntl, os, subprocess, sys, time
from pathlib import Path
from imagenet_prep import run_lock
state = Path(sys.argv[1])
"""
NO_LOCKS = """\
def flock(*_): raise OSError(errno.ENOLCK, 'no locks')
fcntl.flock = flock
"""


class Other:
    """Another process, and what it said."""

    def __init__(self, state: Path, body: str, folder: Path, preamble: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", preamble + BODIES[body], str(state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()
        assert self.said

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.communicate("\n")
        assert self.process.returncode == 0


Begin = Callable[..., Other]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "results of mine" / "state"


@pytest.fixture
def begin(tmp_path: Path, state: Path) -> Iterator[Begin]:
    begun: list[Other] = []

    def begin(body: str, preamble: str = PREAMBLE) -> Other:
        begun.append(Other(state, body, tmp_path, preamble))
        return begun[-1]

    yield begin
    for other in begun:
        other.kill()
        if other.said.isdecimal():  # a process of its own
            os.kill(int(other.said), signal.SIGKILL)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system without locks, here and, by the returned preamble, in another process."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    return PREAMBLE + NO_LOCKS


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "_TIMEOUT", 0.0)


def released(state: Path) -> str:
    """Take the lock and release it: its ID."""
    lock = run_lock.hold(state)
    lock.release()
    return lock.id


@pytest.mark.usefixtures("impatient")
def test_a_second_run_is_told_who_holds_the_folder_and_what_to_do(state: Path, begin: Begin, tmp_path: Path) -> None:
    other = begin("run")
    with pytest.raises(PrepError) as caught:
        run_lock.hold(state)
    who = f"process {other.process.pid} on host {socket.gethostname()}, started in {tmp_path}"
    assert str(caught.value) == (
        f"{state.parent}: another run is at work here ({who}). "
        "Wait until it has ended, or end it, then run the same command again."
    )


@pytest.mark.usefixtures("impatient")
def test_the_same_folder_by_another_path_is_the_same(state: Path, begin: Begin, tmp_path: Path) -> None:
    begin("run")
    (tmp_path / "link").symlink_to(state.parent)
    with pytest.raises(PrepError, match="another run is at work here"):
        run_lock.hold(tmp_path / "link" / "state")


@pytest.mark.usefixtures("impatient")
def test_one_process_does_not_hold_a_folder_twice(state: Path) -> None:
    lock = run_lock.hold(state)
    with pytest.raises(PrepError, match=f"process {os.getpid()} "):
        run_lock.hold(state)
    lock.release()


def test_the_file_says_who_holds_the_folder_in_one_line(state: Path) -> None:
    lock = run_lock.hold(state)
    line = (state / "run.lock").read_text()
    lock.release()
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "folder": os.getcwd(),
        "id": lock.id,
    }


def test_each_run_has_an_id_of_its_own(state: Path) -> None:
    assert released(state) != released(state)


def test_a_lock_that_was_released_is_free_and_its_file_stays_and_is_empty(state: Path, begin: Begin) -> None:
    begin("run").end()
    assert (state / "run.lock").read_bytes() == b""
    released(state)


def test_releasing_twice_takes_nothing_from_a_later_run(state: Path) -> None:
    first = run_lock.hold(state)
    first.release()
    second = run_lock.hold(state)
    first.release()
    assert json.loads((state / "run.lock").read_text())["id"] == second.id
    second.release()


def test_the_lock_of_a_run_that_was_killed_is_free(state: Path, begin: Begin) -> None:
    begin("run").kill()
    assert (state / "run.lock").read_bytes() != b""
    released(state)


@pytest.mark.parametrize("body", ["run with a fork", "run with a child"])
def test_processes_of_a_killed_run_do_not_keep_its_lock(state: Path, begin: Begin, body: str) -> None:
    run = begin(body)
    with pytest.raises(PrepError, match="another run is at work here"):  # nor does a fork's release end it
        run_lock.hold(state)
    run.kill()
    os.kill(int(run.said), 0)
    released(state)


def test_a_lock_that_is_held_for_a_moment_is_waited_for(state: Path, begin: Begin) -> None:
    other = begin("run")
    threading.Timer(0.2, other.kill).start()
    released(state)


@pytest.mark.usefixtures("impatient")
def test_jobs_that_outlive_a_killed_run_keep_the_next_one_from_starting(state: Path, begin: Begin) -> None:
    state.mkdir(parents=True)
    job = begin("job")
    with pytest.raises(PrepError) as caught:
        run_lock.hold(state)
    assert str(caught.value) == (
        f"{state.parent}: jobs of a run that was killed are still writing here. "
        "Wait until they have ended, or kill them, then run the same command again."
    )
    job.end()
    released(state)


def test_a_job_that_was_killed_keeps_no_run_from_starting(state: Path, begin: Begin) -> None:
    state.mkdir(parents=True)
    begin("job").kill()
    released(state)


@pytest.mark.usefixtures("impatient")
def test_a_process_that_a_killed_job_forked_still_writes(state: Path, begin: Begin) -> None:
    state.mkdir(parents=True)
    job = begin("job with a fork")
    job.kill()
    with pytest.raises(PrepError, match="jobs of a run that was killed"):
        run_lock.hold(state)


def test_a_run_that_met_jobs_does_not_keep_the_lock(state: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    state.mkdir(parents=True)
    job = begin("job")
    with monkeypatch.context() as patch, pytest.raises(PrepError):
        patch.setattr(run_lock, "_TIMEOUT", 0.0)
        run_lock.hold(state)
    job.end()
    begin("run").end()


def test_many_jobs_write_side_by_side_while_their_run_holds_the_folder(state: Path, begin: Begin) -> None:
    run = begin("run")
    begin("job")
    with run_lock.job_holds(state):
        run_lock.expect_own(state, run.said)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("theirs", [None, "0123"])
def test_a_job_of_another_run_than_the_one_at_work_ends(state: Path, begin: Begin, theirs: str | None) -> None:
    other = begin("run")
    with pytest.raises(PrepError, match=rf"another run is at work here \(process {other.process.pid} ") as caught:
        run_lock.expect_own(state, theirs)
    assert caught.value.place == str(state.parent)


@pytest.mark.parametrize("theirs", [None, "0123"])
def test_a_job_works_where_no_run_is_at_work(state: Path, begin: Begin, theirs: str | None) -> None:
    run_lock.expect_own(state, theirs)
    begin("run").kill()
    run_lock.expect_own(state, theirs)


def test_jobs_that_look_at_the_lock_all_the_time_keep_no_run_from_starting(state: Path, begin: Begin) -> None:
    begin("run").kill()  # so that its ID is read, and is not theirs, and the lock has to be tried
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.0005):
            with run_lock.job_holds(state):
                run_lock._is_held(state)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(50):
            released(state)
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("what", ["missing", "closed"])
def test_a_job_that_cannot_say_that_it_writes_works_all_the_same(state: Path, what: str) -> None:
    if what == "closed":
        state.parent.mkdir()
        state.touch()  # so that not even root can make a file there
    with run_lock.job_holds(state):
        pass


@pytest.mark.usefixtures("impatient")
def test_without_locks_a_file_stands_for_them_until_it_is_released(state: Path, begin: Begin, no_locks: str) -> None:
    other = begin("run", no_locks)
    with pytest.raises(PrepError) as caught:
        run_lock.hold(state)
    held = state / "run.lock.held"
    assert f"process {other.process.pid} on host {socket.gethostname()}" in caught.value.problem
    assert f"(rm {shlex.quote(str(held))})" in caught.value.remedy
    other.end()
    assert not held.exists()
    released(state)


def test_without_locks_a_killed_run_s_file_is_taken_over(state: Path, begin: Begin, no_locks: str) -> None:
    begin("run", no_locks).kill()
    lock = run_lock.hold(state)
    assert json.loads((state / "run.lock.held").read_text())["id"] == lock.id
    lock.release()
    assert sorted(path.name for path in state.iterdir()) == ["run.lock"]


@pytest.mark.usefixtures("no_locks", "impatient")
def test_without_locks_another_machine_s_run_ends_with_its_file(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(socket, "gethostname", lambda: "elsewhere")
        run_lock.hold(state)
    with pytest.raises(PrepError, match="on host elsewhere") as caught:
        run_lock.hold(state)
    command = re.search(r"\((rm .*)\);", caught.value.remedy)
    assert command is not None
    subprocess.run(command[1], shell=True, check=True)
    released(state)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_file_that_another_run_has_just_taken_over_stays(state: Path) -> None:
    lock = run_lock.hold(state)
    held = state / "run.lock.held"
    run_lock._remove_left(held, run_lock._Holder(socket.gethostname(), 1, "/", "left"))
    assert json.loads(held.read_text())["id"] == lock.id
    assert sorted(path.name for path in state.iterdir()) == ["run.lock", "run.lock.held"]
    lock.release()


@pytest.mark.usefixtures("impatient")
def test_without_locks_a_job_of_another_run_than_the_one_at_work_ends(state: Path, begin: Begin, no_locks: str) -> None:
    run = begin("run", no_locks)
    with run_lock.job_holds(state):
        run_lock.expect_own(state, run.said)
    with pytest.raises(PrepError, match="another run is at work here"):
        run_lock.expect_own(state, "0123")
    run.kill()
    run_lock.expect_own(state, "0123")


def test_without_locks_a_fork_does_not_release_the_lock_of_its_parent(state: Path, begin: Begin, no_locks: str) -> None:
    begin("run with a fork", no_locks)
    assert (state / "run.lock.held").exists()


def test_errors_that_are_not_about_missing_locks_are_passed_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="broken"):
        run_lock.hold(state)


def test_nothing_but_the_standard_library_is_loaded() -> None:
    program = "import sys; from imagenet_prep import run_lock; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(LIBRARY)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded.isdisjoint({"numpy", "pyarrow", "PIL", "snakemake", "requests", "yaml", "jsonschema"})
