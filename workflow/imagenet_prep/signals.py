"""What a run does when it is asked to end: by Ctrl-C or a closed terminal, or by SIGTERM, as batch systems send it."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from imagenet_prep import interpreter

STOPPED = "You have stopped it. Run the same command again to go on."
ASKED = "It was asked to end (SIGTERM), as batch systems and `kill` do. Run the same command again to go on."

# What somebody in front of the terminal does: presses Ctrl-C, or closes it.
_INTERRUPTS = (signal.SIGINT, signal.SIGHUP)

_A_MOMENT = 0.01  # seconds

# GNU env has the option from 8.31 on, that of macOS has not.
_HOLDING_BACK = ("env", "--block-signal=INT")


def holding_back() -> str:
    """What to put in front of a job's command, so that Ctrl-C waits until the job's script listens.

    In the middle of its imports Python would print where it was. Where there is no such command, nothing.
    """
    try:
        subprocess.run([*_HOLDING_BACK, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    # A path with this character in it env would take for a variable.
    through_shell = ["sh", "-c", """'exec "$@"'""", "sh"] if "=" in interpreter.PYTHON else []
    return " ".join([*_HOLDING_BACK, *through_shell])


def raise_again() -> None:
    """Have what an answer to a signal raises raised again a moment later where Python drops it.

    So it does around a fork and in destructors, and prints a traceback for it.
    """
    process = os.getpid()

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        error = unraisable.exc_value
        if not isinstance(error, KeyboardInterrupt | SystemExit) or os.getpid() != process:
            sys.__unraisablehook__(unraisable)
            return

        def again(number: int, frame: FrameType | None) -> None:
            raise error

        signal.signal(signal.SIGALRM, again)
        signal.setitimer(signal.ITIMER_REAL, _A_MOMENT)

    sys.unraisablehook = dropped


def listen() -> None:
    """Raise `KeyboardInterrupt` in this job for Ctrl-C or a closed terminal from now on, and for what was held back.

    Not where it is ignored, as in the background of a shell: the run goes on then, and so do its jobs.
    """
    job = os.getpid()
    raise_again()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if os.getpid() != job:  # a process of its own that has only just begun
            os._exit(128 + number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a shell tells of its end, and so does the terminal
        threading.excepthook = lambda failure: None  # that of a pool would tell that its processes have ended
        raise KeyboardInterrupt

    for number in _INTERRUPTS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def leave_at_once() -> None:
    """End this process, one of a job's own, for Ctrl-C from now on; the job gets it, too."""
    for number in _INTERRUPTS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: os._exit(128 + number))


@functools.cache
def _say_stopped(number: int) -> None:
    """Say at the end, once, that the run was stopped by a signal."""
    if not was_stopped():
        atexit.register(print, STOPPED if number in _INTERRUPTS else ASKED, file=sys.stderr)


def was_stopped() -> bool:
    """Whether somebody has pressed Ctrl-C, or has asked the run to end."""
    return _say_stopped.cache_info().currsize > 0


def answer() -> None:
    """End the run in order when it is asked to, by Ctrl-C, a closed terminal or SIGTERM, from now on."""
    raise_again()
    signal.signal(signal.SIGTERM, _end_early)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so in the background of a shell
        signal.signal(signal.SIGINT, _end_early)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not so with nohup
        signal.signal(signal.SIGHUP, _end_early)


def _end_early(number: int, frame: FrameType | None) -> None:
    """End the run, and have Snakemake give its lock back.

    For SIGTERM it is that until Snakemake begins with jobs, for Ctrl-C until the end of the run: Snakemake's scheduler
    takes the exception as it takes Ctrl-C, but of Ctrl-C itself Snakemake would tell where in these files it came.
    """
    _say_stopped(number)
    if number in _INTERRUPTS:
        for again in _INTERRUPTS:  # a second one would come in the middle of Snakemake's clearing up
            signal.signal(again, signal.SIG_IGN)
    logging.getLogger("asyncio").disabled = True  # it would tell of each task that this ends
    sys.exit(128 + number)


def answer_sigterm_aside() -> None:
    """Have SIGTERM answered in a thread of its own, from the time on when Snakemake has set its handler.

    Snakemake's handler waits for a lock. Where the code that it interrupts holds that lock, it would wait for ever.
    """
    handler = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        _say_stopped(number)
        if callable(handler):
            threading.Thread(target=handler, args=(number, frame)).start()

    if callable(handler):
        signal.signal(signal.SIGTERM, end)
