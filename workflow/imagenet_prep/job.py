"""How a script of the workflow runs: its log, and its one clear line when it fails."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

from imagenet_prep import progress, run_lock, signals
from imagenet_prep.engine.runs import RUN_ID
from imagenet_prep.errors import Described, PrepError

# Snakemake's own folder in the working directory, where every job can write, even if it can nowhere below output_dir.
FAILURES = Path(".snakemake", "failures")

# What to do, also where memory was short.
RUN_AGAIN = "Run the same command again"
FEWER_CORES = "with fewer --cores"
MORE_MEMORY = "mem_mb=8000"

_REMEDIES = {
    errno.ENOSPC: "Make room on that file system (df -h, df -i), then run the same command again",
    errno.EDQUOT: "Your quota is full: make room or ask for more, then run the same command again",
    errno.EROFS: "That file system is read-only: choose another output_dir",
    errno.EACCES: "Give yourself the right to that path, or choose another one in the configuration",
    errno.EPERM: "Give yourself the right to that path, or choose another one in the configuration",
    errno.ENOENT: "Put the file back, or delete what was made from it and run the same command again",
    errno.EIO: "The disk could not read or write here: check it (dmesg), then run the same command again",
}


def run(main: Callable[[Any], None], snakemake: Any, *, writes: bool = True) -> None:
    """Call `main(snakemake)`; on failure print one line, leave it for the summary of the run, and exit with 1.

    A job that `writes` to the output folder holds a lock of it while it works, and fails where another run than the one
    that started it is at work there. A job that failed in this run with a `PrepError` is not tried again: that would
    fail, too.

    Args:
        main: does the work of the script.
        snakemake: of the script.
        writes: whether it writes to the output folder.
    """
    log = Path(snakemake.log[0])
    logging.raiseExceptions = False  # a log that cannot be written must not bury the cause under its own traceback
    if snakemake.resources.get("attempt", 1) > 1 and is_lasting(log):
        if not progress.run_speaks():
            print(f"ERROR {cause(log)}", file=sys.stderr)
        with contextlib.suppress(OSError):  # Snakemake has emptied it
            log.write_text(f"{cause(log)}\nThis was found by an earlier attempt in this run.\n", encoding="utf-8")
        sys.exit(1)
    try:
        signals.listen()
        _start_logging(log)
        with without_pandas(), _taking_part(snakemake, writes):
            main(snakemake)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = describe(error, log, snakemake.config["output_dir"])
        noted = False
        with contextlib.suppress(OSError):  # a full disk must not add a second error
            note = _note(log, lasting=isinstance(error, (PrepError, ExceptionGroup)))
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(message + "\n", encoding="utf-8")
            noted = True
        if not (noted and progress.run_speaks()):
            print(as_errors(message), file=sys.stderr)
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        sys.exit(1)


@contextlib.contextmanager
def _taking_part(snakemake: Any, writes: bool) -> Iterator[None]:
    """Have later runs wait for what the block writes; raises `PrepError` where another run works than the job's own."""
    state = Path(snakemake.config["output_dir"], "state")
    if not writes:
        yield
        return
    state.mkdir(parents=True, exist_ok=True)
    with run_lock.job_holds(state):
        run_lock.expect_own(state, os.environ.get(RUN_ID))
        yield


class _NoPandas:
    """A finder of modules that says there is no pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from this job", name=name)


@contextlib.contextmanager
def without_pandas() -> Iterator[None]:
    """Hide pandas from a script that has not imported it: pyarrow would, with its first array, only to ask for types.

    That takes longer than most of the jobs: without this the demo takes 1.08 to 1.29 times as long, and 1.13 to 1.39
    times the time of the processor (three pairs on two cores).
    """
    finder = _NoPandas()
    if sys.modules.get("pandas") is None:
        sys.modules.pop("pandas", None)  # pyarrow would take what `interpreter.hide_pandas` puts there for a module
        sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)


def _start_logging(log: Path) -> None:
    progress.report_to(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    for lasting in (True, False):
        _note(log, lasting).unlink(missing_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[progress.TerminalHandler(), logging.FileHandler(log, mode="w", encoding="utf-8")],
    )


def describe(error: Exception, log: str | os.PathLike[str], output_dir: str | os.PathLike[str]) -> str:
    """One line for the person who has to act on `error`; of several in a group, a line each.

    Args:
        error: what happened.
        log: where more is to be read.
        output_dir: what an error of the operating system is about that names no file.
    """
    if isinstance(error, ExceptionGroup):
        return "\n".join(describe(it, log, output_dir) for it in error.exceptions)
    if isinstance(error, Described):
        return str(error)
    if isinstance(error, PrepError):
        # What lies there is the archive; the link to it says too little of where that is.
        place = os.path.realpath(error.place) if os.path.islink(error.place) else error.place
        return str(PrepError(place, error.problem, error.remedy, member=error.member, offset=error.offset))
    if isinstance(error, (MemoryError, BrokenExecutor)) or getattr(error, "errno", None) == errno.ENOMEM:
        killed = "a process of this job was killed, as happens where memory is short"
        more = f"--set-resources {_rule_of(log, output_dir)}:{MORE_MEMORY}"
        return (
            f"{log}: {killed if isinstance(error, BrokenExecutor) else 'memory ran out'}. "
            f"{RUN_AGAIN} {FEWER_CORES}; on a cluster with more memory ({more})."
        )
    if isinstance(error, OSError) and error.errno is not None:
        place = os.fsdecode(error.filename or output_dir)
        place = os.path.realpath(place) if os.path.islink(place) else place
        remedy = _REMEDIES.get(error.errno, "Mend that, then run the same command again")
        return f"{place}: {os.strerror(error.errno)}. {remedy}."
    if isinstance(error, ImportError):
        return (
            f"{log}: Python could not import what this job needs ({' '.join(str(error).split())}). "
            "See whether the environment is whole (make env), and what else PYTHONPATH names."
        )
    return (
        f"{log}: an error that this program did not foresee ({type(error).__name__}: {' '.join(str(error).split())}). "
        "That is a fault of the program: please report it with this log."
    )


def _rule_of(log: str | os.PathLike[str], output_dir: str | os.PathLike[str]) -> str:
    """The rule of a job, after which its log is named, or the folder of that below `logs/`."""
    below = os.path.relpath(log, os.path.join(output_dir, "logs"))
    return below.partition(os.sep)[0].removesuffix(".log")


def as_errors(message: str) -> str:
    """The lines of what `describe` gave as they are shown: each error begins with the word, and may go on indented."""
    return "\n".join(f"ERROR {line}" for line in _lines(message))


def _lines(message: str) -> list[str]:
    return re.split(r"\n(?!  )", message.strip())


def failures(logs: str | os.PathLike[str]) -> list[str]:
    """The lines left by failed jobs that log below the folder `logs`, sorted."""
    lines = {line for path in _notes(logs).rglob("*.txt") for line in _lines(path.read_text(encoding="utf-8"))}
    return sorted(lines - {""})


def cause(log: str | os.PathLike[str]) -> str | None:
    """The line left by the failed job that logs to the file `log`; None where it left none."""
    for lasting in (True, False):
        with contextlib.suppress(FileNotFoundError):
            return _note(log, lasting).read_text(encoding="utf-8").strip()
    return None


def is_lasting(log: str | os.PathLike[str]) -> bool:
    """Whether another attempt of the failed job that logs to the file `log` would be made in vain."""
    return _note(log, lasting=True).exists()


def forget_failures(logs: str | os.PathLike[str]) -> None:
    """Remove the lines that failed jobs of an earlier run left."""
    shutil.rmtree(_notes(logs), ignore_errors=True)


def _note(log: str | os.PathLike[str], lasting: bool) -> Path:
    """Where a job notes its failure; `lasting` if another attempt in this run would be made in vain.

    That is so where its input is wrong, and also where a server or a store did not answer: downloads and publishing
    insist by themselves for longer than attempts that follow each other at once.
    """
    folder, name = os.path.split(log)
    return _notes(folder) / f"{name}{'.lasting' if lasting else ''}.txt"


def _notes(logs: str | os.PathLike[str]) -> Path:
    """Where failures are noted of jobs that log in a folder; each output_dir has its own."""
    return FAILURES / os.path.abspath(logs).lstrip("/")
