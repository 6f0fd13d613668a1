"""How a run begins and ends: what has to hold before its first job, and the folder that is its own until its end."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from imagenet_prep import archive_reports, atomic, interpreter, job, progress, run_lock
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import archive_table, packed, runs, space, space_check
from imagenet_prep.engine.existing import look
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import STATE
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import is_writable, nearest
from imagenet_prep.products.partials import remove_partials
from imagenet_prep.products.registry import PUBLISHED, SPLIT_PRODUCTS
from imagenet_prep.publish import stores

# Rules that only look at what is there.
_LOOKING = {"check", "space"}

# Rules of which each job downloads or reads one archive.
_OF_AN_ARCHIVE = {"fetch_archive", "verify_archive", "scan_archive"}


@dataclass(frozen=True)
class NeededJob:
    """A job that this run is to do.

    Attributes:
        rule: the name of its rule, as this workflow has it.
        wildcards: their values by name.
        written: the paths of all files that it writes.
        log: the one that it logs to; None where it only gathers others.
    """

    rule: str
    wildcards: Mapping[str, str]
    written: tuple[str, ...]
    log: str | None


def stop(message: str) -> NoReturn:
    """End the run with this message as the last on the terminal.

    An exception would end it too, but Snakemake would tell from where in the workflow it came.
    """
    lines = [f"ERROR {line.strip()}" for line in message.splitlines()]
    atexit.register(print, "", *lines, sep="\n", file=sys.stderr)
    sys.exit(1)


@contextlib.contextmanager
def stopping(config: Mapping[str, Any]) -> Iterator[None]:
    """End the run with the one line of what a user can mend that the block raises, or a line each of a group."""
    try:
        yield
    except (PrepError, OSError, ExceptionGroup) as error:
        stop(job.describe(error, Path(config["output_dir"], "logs"), config["output_dir"]))


def expect_usable(clone: Path) -> None:
    """Stop if the clone lies below a path that no job could be started from."""
    reasons = dict.fromkeys("{}", "which Snakemake takes for the name of a wildcard")
    reasons |= {os.pathsep: "at which Python takes PYTHONPATH apart", "\n": "the end of a line"}
    for character, reason in reasons.items():
        if character in str(clone):
            stop(f"{str(clone)!r}: this path holds {character!r}, {reason}. Move the clone to a path without it.")


def expect_writable(folder: Path, remedy: str) -> None:
    """Stop if a folder, or where it would be made, is not writable: Snakemake would fail in its own words."""
    if not is_writable(folder):
        stop(f"{nearest(folder)}: this folder is not writable for you. {remedy}.")


def begin(
    jobs: Iterable[NeededJob],
    config: Mapping[str, Any],
    provenance: Provenance,
    logs: Path,
    tell: Callable[[str], object],
) -> None:
    """See to it that a run can do its jobs, and that nobody else writes where it does; stop it where that is not so.

    Args:
        jobs: what it is to do.
        config: the configuration, complete.
        provenance: what the run asks for.
        logs: the folder in which jobs log.
        tell: is given a table of the archives, and one of the space that it needs.
    """
    jobs = list(jobs)
    remedy = "Give yourself the right to write there, or choose another output_dir"
    for folder in sorted({Path(path).parent for it in jobs for path in it.written}):
        expect_writable(folder, remedy)
    output = Path(config["output_dir"])
    job.forget_failures(logs)
    progress.forget_reports(logs)
    rules = {it.rule for it in jobs}
    if jobs and (wrong := interpreter.problem()):
        stop(f"{interpreter.PYTHON}: {wrong}. Make the environment anew (make env), and see what PYTHONPATH names.")
    with stopping(config):
        out_of_reach = _expect_archives(jobs, config, tell)
        if rules - _LOOKING:
            _take_folder(output, dataset_of(config).name, provenance)
            if archive_reports.RULE in rules:
                provenance.answers[runs.REPORTS_ARCHIVES] = True
                provenance.note()
        if PUBLISHED.rule in rules:  # rather now than when all has been made
            stores.expect_client(config["publish"]["url"])
        _expect_space(jobs, config, out_of_reach, tell)


def _expect_archives(jobs: Iterable[NeededJob], config: Mapping[str, Any], tell: Callable[[str], object]) -> set[str]:
    """Show where the archives lie that this run reads or downloads, and raise all that can be seen to be wrong.

    Where a job is to say what is wrong, return the names of those that are not there and cannot be had.

    Before anything else: who has mistyped a folder is to read of that, and not of the space that all would need again.
    """
    jobs = list(jobs)
    rules = {it.rule for it in jobs}
    needed = {it.wildcards["archive"] for it in jobs if it.rule in _OF_AN_ARCHIVE}
    if not needed or "synthesize_archives" in rules:
        return set()
    seen = archive_table.look(config, needed)
    tell(archive_table.as_table(config, seen))
    if archive_reports.RULE in rules:  # reads all that are there before it says what is wrong
        folder = archive_table.folder_problem(config) if any(it.path is None for it in seen) else None
        wrong: list[archive_table.Problem] = [folder] if folder else []
    else:
        wrong = archive_table.problems(config, seen)
    if wrong:
        raise ExceptionGroup("archives are missing or wrong", wrong)
    return {it.name for it in seen if it.problem and it.path is None}


def _take_folder(output: Path, dataset: str, provenance: Provenance) -> None:
    """Keep other runs out of output_dir for as long as this one goes on, and take away what killed jobs left there.

    What is asked for was found out before nobody else could write here: it has to hold still.
    """
    lock = run_lock.hold(output / STATE)
    if not provenance.agrees():
        raise PrepError(output, "another run has changed what lies here just now", "Run the same command again")
    if not runs.is_older(output):
        runs.claim(output, dataset)
    os.environ[runs.RUN_ID] = lock.id
    provenance.note = lambda: runs.note(output, lock.id, provenance.answers)
    provenance.note()
    remove_partials(output)
    atexit.register(lock.release)
    atexit.register(runs.forget, output)
    _hold_linked_folders(output)


def _hold_linked_folders(output: Path) -> None:
    """Have no folder be empty that is a link to another disk, until the end of this process.

    At the end of a run that failed Snakemake removes the folders that are empty, and fails at one that is a link.
    """
    for folder in output.glob("*"):
        if folder.is_symlink() and folder.is_dir() and folder.name != "archives" and not any(folder.iterdir()):
            holder = atomic.partial_path(folder / "held")
            with contextlib.suppress(OSError):  # a job that writes there will tell
                holder.touch()
            atexit.register(holder.unlink, missing_ok=True)


def _expect_space(
    jobs: Iterable[NeededJob], config: Mapping[str, Any], out_of_reach: Collection[str], tell: Callable[[str], object]
) -> None:
    """Show the space that this run needs, and raise a PrepError if it is not there.

    Here and in no rule, since a rule's output would be an input of all others and could make them stale.
    """
    kinds = {product.rule: name for name, product in SPLIT_PRODUCTS.items()}
    parts = set()
    for it in jobs:
        if it.rule == "fetch_archive":
            parts |= {(space.ARCHIVE, name) for name in [it.wildcards["archive"]] if name not in out_of_reach}
        elif it.rule == "synthesize_archives":
            parts |= {(space.ARCHIVE, name) for name in config["use"]}
        elif it.rule == "label_images":
            parts.add((space.REST, ""))
        elif it.rule in kinds:
            parts.add((kinds[it.rule], it.wildcards["split"]))
    there = look(config, SPLIT_PRODUCTS) if parts else space.Existing()
    needed = space.needs(config, SPLIT_PRODUCTS, there, parts)
    file_systems = space_check.file_systems_of(needed)
    if needed:
        tell(space_check.as_table(needed, file_systems))
    space_check.expect_enough(needed, file_systems, config, SPLIT_PRODUCTS)


def end(output: Path, *, succeeded: bool, is_all_made: Callable[[], bool], keep_packed: bool) -> None:
    """End a run; take away what jobs left half-made that were tried again, where none of them goes on.

    Args:
        output: the configured folder.
        succeeded: whether it ended well.
        is_all_made: whether everything is there that the configuration asks for.
        keep_packed: whether packed archives are to stay when it is.
    """
    # It is over in a moment, and Python would answer Ctrl-C by then with where it was.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if runs.RUN_ID in os.environ:
        archive_reports.forget(output)
        if succeeded:
            remove_partials(output)
            if not keep_packed and is_all_made():
                packed.remove_all(output)
