"""One run at a time in an output folder, and none beside jobs that a killed run has left.

Locks of flock(2) belong to an open file: they end with the process that opened it, however that ends. Processes that it
starts do not get them. Files that are locked stay, since of two runs that remove and make one each could lock its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError

_RUN = "run.lock"
_RUN_WITHOUT_LOCKS = "run.lock.held"  # is there while a run is, where the file system has no locks
_JOBS = "jobs.lock"

_TIMEOUT = 1.0  # seconds: whoever only asks whether a file is locked locks it for a moment
_PAUSE = 0.02

_WAIT = "Wait until it has ended, or end it, then run the same command again"

_WITHOUT_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


@dataclass(frozen=True)
class _Holder:
    """Who holds a lock: what its file says."""

    host: str
    process: int
    folder: str
    id: str

    def __str__(self) -> str:
        return f"process {self.process} on host {self.host}, started in {self.folder}"

    def is_over(self) -> bool:
        """Whether it surely is; of another machine's processes nothing is known."""
        return self.host == socket.gethostname() and not atomic.is_alive(self.process)


class RunLock:
    """The right to write to an output folder, until `release` or the end of this process.

    Attributes:
        id: what tells this run from all others.
    """

    def __init__(self, path: Path, holder: _Holder, descriptor: int | None) -> None:
        self.id = holder.id
        self._path = path
        self._process = holder.process
        self._descriptor = descriptor
        if descriptor is not None:
            _locked.add(descriptor)

    def release(self) -> None:
        """Let others begin. In a fork, which does not hold the lock, and a second time this does nothing."""
        if self._process != os.getpid():
            return
        self._process = 0
        if self._descriptor is None:
            self._path.unlink(missing_ok=True)
            return
        _locked.discard(self._descriptor)
        with contextlib.suppress(OSError):  # it would only name a run that is over, and that no lock vouches for
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


# A fork shares the open file of its parent, and so would keep the lock after the parent's end.
_locked: set[int] = set()


def _let_go_in_a_fork() -> None:
    while _locked:
        os.close(_locked.pop())


os.register_at_fork(after_in_child=_let_go_in_a_fork)


def hold(state: Path) -> RunLock:
    """Take the lock of a run, for as long as this process lives.

    Args:
        state: the folder `state` of an output folder, which is made if it is missing.

    Raises:
        PrepError: another run holds it, or jobs of one that was killed still write.
    """
    state.mkdir(parents=True, exist_ok=True)
    us = _Holder(socket.gethostname(), os.getpid(), os.getcwd(), secrets.token_hex(16))
    path = state / _RUN
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _retry(lambda: _lock(descriptor, fcntl.LOCK_EX)):
            raise _busy(state, _read(path), _WAIT)
        _write(descriptor, us)
        _expect_no_jobs(state)
    except _NoLocks:
        os.close(descriptor)
        path = _hold_without_locks(state, us)
        return RunLock(path, us, None)
    except BaseException:
        os.close(descriptor)
        raise
    return RunLock(path, us, descriptor)


def expect_free(state: Path) -> None:
    """Raise `PrepError` if a run is at work."""
    if _is_held(state):
        raise _busy(state, _read(state / _RUN) or _read(state / _RUN_WITHOUT_LOCKS), _WAIT)


@contextlib.contextmanager
def job_holds(state: Path) -> Iterator[None]:
    """Say for the time of a block that a job writes, also if the run that started it is killed.

    Processes that a job forks say so as long as they live, since they write what the job has them write. Without locks,
    or where this user cannot write, nothing is said.
    """
    try:
        # Not for writing, which a shared lock does not need: the file may be another user's.
        descriptor = os.open(state / _JOBS, os.O_RDONLY | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(_NoLocks):
            _lock(descriptor, fcntl.LOCK_SH, wait=True)  # at most for the moment in which a run asks for jobs
        yield
    finally:
        os.close(descriptor)


def expect_own(state: Path, run_id: str | None) -> None:
    """Raise a PrepError in a job if a run is at work that did not start it.

    To be called within `job_holds`: then of a job and a run that begin in the same moment one gives way, whichever was
    first.

    Args:
        state: the folder `state` of the output folder.
        run_id: `RunLock.id` of the run that started the job, None if no run did.
    """
    last: list[_Holder | None] = [None]

    def is_own() -> bool:
        # A run's own jobs do not touch its lock, so that they are in nobody's way.
        last[0] = holder = _read(state / _RUN) or _read(state / _RUN_WITHOUT_LOCKS)
        return (holder is not None and holder.id == run_id) or not _is_held(state)

    if not _retry(is_own):
        raise _busy(state, last[0], "This job is not one of that run: wait until that has ended, then run it again")


class _NoLocks(Exception):
    """The file system has none."""


def _lock(descriptor: int, kind: int, *, wait: bool = False) -> bool:
    """Lock a file, shared or alone; return whether that could be done."""
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            raise _NoLocks from error
        raise
    return True


def _retry(succeeds: Callable[[], bool]) -> bool:
    """Try it until it succeeds, for `_TIMEOUT` at the most; return whether it did."""
    end = time.monotonic() + _TIMEOUT
    while not succeeds():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _expect_no_jobs(state: Path) -> None:
    descriptor = os.open(state / _JOBS, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _retry(lambda: _lock(descriptor, fcntl.LOCK_EX)):
            raise PrepError(
                state.parent,
                "jobs of a run that was killed are still writing here",
                "Wait until they have ended, or kill them, then run the same command again",
            )
    finally:
        os.close(descriptor)


def _is_held(state: Path) -> bool:
    """Whether a run is at work; none is where this user may not look."""
    try:
        descriptor = os.open(state / _RUN, os.O_RDONLY)
    except (FileNotFoundError, PermissionError):
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    except _NoLocks:
        holder = _read(state / _RUN_WITHOUT_LOCKS)
        return holder is not None and not holder.is_over()
    finally:
        os.close(descriptor)


def _hold_without_locks(state: Path, us: _Holder) -> Path:
    """Make the file that stands for a lock; take it over from a process of this machine that was killed."""
    path = state / _RUN_WITHOUT_LOCKS

    def is_ours() -> bool:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            holder = _read(path)
            if holder is not None and holder.is_over():
                _remove_left(path, holder)
            return False
        try:
            _write(descriptor, us)
        finally:
            os.close(descriptor)
        return True

    if not _retry(is_ours):
        remedy = (
            "Wait until it has ended, or end it; if it surely is over, delete what it left "
            f"(rm {shlex.quote(os.path.abspath(path))}); then run the same command again"
        )
        raise _busy(state, _read(path), remedy)
    return path


def _remove_left(path: Path, left: _Holder) -> None:
    """Remove the file of a process that was killed, and never that of another run which does the same here."""
    claim = path.with_name(f"{path.name}.{left.process}")
    try:
        os.close(os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    if _read(path) == left:
        path.unlink()
    claim.unlink()


def _busy(state: Path, holder: _Holder | None, remedy: str) -> PrepError:
    return PrepError(state.parent, f"another run is at work here{f' ({holder})' if holder else ''}", remedy)


def _write(descriptor: int, holder: _Holder) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(asdict(holder)).encode() + b"\n")


def _read(path: Path) -> _Holder | None:
    """What a file says; None where it says nothing, since nobody holds it, or just began to."""
    try:
        return _Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
