"""How a script of the workflow runs: its log, and its one clear line when it fails."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagenet_prep.errors import PrepError

FAILURE_SUFFIX = ".failed"

_REMEDIES = {
    errno.ENOSPC: "Make room on that file system (df -h, df -i), then run the same command again",
    errno.EDQUOT: "Your quota is full: make room or ask for more, then run the same command again",
    errno.EROFS: "That file system is read-only: choose another output_dir",
    errno.EACCES: "Give yourself the right to that path, or choose another one in the configuration",
    errno.EPERM: "Give yourself the right to that path, or choose another one in the configuration",
    errno.ENOENT: "Put the file back, or delete what was made from it and run the same command again",
    errno.EIO: "The disk could not read or write here: check it (dmesg), then run the same command again",
}


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Call `main(snakemake)`; on failure print one line, leave it beside the log for the summary, and exit with 1."""
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    note = log.with_suffix(FAILURE_SUFFIX)
    note.unlink(missing_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[logging.StreamHandler(), logging.FileHandler(log, mode="w", encoding="utf-8")],
    )
    try:
        main(snakemake)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = describe(error, log)
        print(f"ERROR {message}", file=sys.stderr)
        with contextlib.suppress(OSError):  # the line above has said it; a full disk must not add a second error
            note.write_text(message + "\n", encoding="utf-8")
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exception(error, file=file)
        sys.exit(1)


def describe(error: Exception, log: str | os.PathLike[str]) -> str:
    """One line for the person who has to act on `error`."""
    if isinstance(error, PrepError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        place = error.filename if error.filename is not None else "a file of this job"
        remedy = _REMEDIES.get(error.errno, "Mend that, then run the same command again")
        return f"{place}: {os.strerror(error.errno)}. {remedy}."
    return (
        f"{log}: an error that this program did not foresee ({type(error).__name__}: {' '.join(str(error).split())}). "
        "That is a fault of the program: please report it with this log."
    )


def failures(logs: str | os.PathLike[str]) -> list[str]:
    """The lines left by failed jobs below the folder `logs`, sorted."""
    return sorted({path.read_text(encoding="utf-8").strip() for path in Path(logs).rglob(f"*{FAILURE_SUFFIX}")})


def forget_failures(logs: str | os.PathLike[str]) -> None:
    """Remove the lines that failed jobs of an earlier run left."""
    for path in Path(logs).rglob(f"*{FAILURE_SUFFIX}"):
        path.unlink(missing_ok=True)
