"""Turns errors of Snakemake's own into one line that says what is wrong and what to do.

Snakemake's records hold the name of the exception. What it is about has to be read out of its text.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from imagenet_prep import commands, job, run_lock
from imagenet_prep.console import mistyped, typed_options
from imagenet_prep.console.mistyped import Known
from imagenet_prep.errors import PrepError

_NO_RULE = re.compile(r"No rule to produce (.+?) \(if you use input functions", re.DOTALL)
_MISSING = re.compile(r"Missing input files for rule (\S+?):\n(?:.*\n)*? *affected files:\n(?P<files>(?: +.+\n?)+)")
_PROTECTED = re.compile(r"Write-protected output files for rule (\S+?):\n(?:.*\n)*? *affected files:\n +(?P<file>.+)")
_VARIABLE = re.compile(r"Undefined pathvar '(\w+)' when expanding pathvars in (.+?)\.?$", re.MULTILINE)
_LOCKS_GONE = re.compile(r"No such file or directory: '[^']*\.snakemake/locks/\d+\.\w+\.lock'")
_OF_SYSTEM = re.compile(r"\[Errno (\d+)\] [^:\n]+: '(.+?)'")
_PLACE = re.compile(r'^ *File ".*", line \d+')

_LONG = 400  # characters; a longer text is shown as it is, and then a line with its beginning


def lines(exception: str, text: str, known: Known | None = None) -> list[str]:
    """The lines that say it; the last begins with ERROR, but for a run that somebody has stopped.

    Args:
        exception: the name of Snakemake's exception; "" where there is none.
        text: the text of Snakemake's record.
        known: what the workflow can be asked for; None where Snakemake has not read the workflow yet.
    """
    if exception == "KeyboardInterrupt":
        return [text]
    if line := typed_options.problem(exception, text) or (known and _of_workflow(exception, text, known)):
        return [f"ERROR {line}"]
    line = _folded(text)
    is_whole = "Traceback" not in text and len(line) <= _LONG
    return [f"ERROR {line}"] if is_whole else [text.rstrip(), "", f"ERROR {line[:_LONG]}"]


def _of_workflow(exception: str, text: str, known: Known) -> str | None:
    if found := _NO_RULE.search(text):
        return mistyped.of_target(found[1], known)
    if found := _MISSING.search(text):
        files = [line.strip() for line in found["files"].splitlines()]
        return f"rule {found[1]}: nothing makes what it needs, {', '.join(files)}. Put it there, then run it again."
    if found := _PROTECTED.search(text):
        where = commands.typed(known.config["output_dir"])
        remedy = f"Before it can be, type `chmod -R u+w {where}`; if it is not yours, choose another output_dir"
        return str(PrepError(found["file"], f"it is write-protected, and rule {found[1]} would make it anew", remedy))
    if exception == "LockException":
        return _of_lock(Path(known.config["output_dir"]))
    if found := _VARIABLE.search(text):
        return f"{found[2]}: Snakemake takes <{found[1]}> for the name of a variable. Choose a name without < and >."
    if _LOCKS_GONE.search(text):
        problem = "another run in this folder has ended just now, and has taken Snakemake's locks along"
        return str(PrepError(os.getcwd(), problem, "Run the same command again"))
    if (found := _OF_SYSTEM.search(text)) and "Traceback" not in text:
        error = OSError(int(found[1]), "", found[2])
        return job.describe(error, "", known.config["output_dir"])
    if "cores have to be specified" in text:
        return f"--cores is missing. Say how many jobs may run at a time: {commands.with_cores(sys.argv)}"
    return None


def _of_lock(output_dir: Path) -> str:
    try:
        run_lock.expect_free(output_dir / "state")
    except PrepError as error:
        return str(error)
    problem = "Snakemake's lock is on this folder: another run is at work in it, or one that was killed has left it"
    unlock = commands.snakemake("--unlock")
    remedy = f"Wait until that has ended; if there is none: {unlock} and then run the same command again"
    return str(PrepError(os.getcwd(), problem, remedy))


def _folded(text: str) -> str:
    """The text in one line, less places in the workflow's files; of a traceback its last line."""
    said = [line.strip() for line in text.splitlines() if line.strip() and not _PLACE.match(line)]
    if "Traceback (most recent call last)" in text:
        said = said[-1:]
    return " ".join(said).removeprefix("Error: ").removeprefix("WorkflowError: ")
