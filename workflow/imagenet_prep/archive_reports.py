"""What is wrong with archives, where all of them are looked at before the run says so.

A job that finds an archive missing or wrong fails, and the run begins no other jobs. Where `verify` is asked for, it
notes the line in its receipt instead, which vouches for nothing, and the job `report_archives` fails with all lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, job
from imagenet_prep.engine import receipts, runs
from imagenet_prep.errors import Described, PrepError

RULE = "report_archives"


def gather(snakemake: Any, archive_receipts: Iterable[str], look: Callable[[], object]) -> None:
    """Look at archives; where a run reports on all of them, note what is wrong in their receipts, and do not fail.

    Args:
        snakemake: of the script; a problem that one of its inputs notes is the one of these archives, too.
        archive_receipts: the paths of the receipts of these archives.
        look: looks at the archives, and writes these receipts where nothing is wrong.

    Raises:
        PrepError: something is wrong, and the run does not report on all archives.
    """
    before = lines_of(snakemake.input)
    try:
        if before:
            raise Described(before[0])
        look()
    except (PrepError, OSError) as error:
        output_dir = snakemake.config["output_dir"]
        if not runs.noted(Path(output_dir)).get(runs.REPORTS_ARCHIVES):
            raise
        line = job.describe(error, snakemake.log[0], output_dir)
        for receipt in archive_receipts:
            atomic.write_json(receipt, {receipts.PROBLEM: line})


def lines_of(paths: Iterable[str]) -> list[str]:
    """The problems that receipts note, each once, in their order."""
    noted: Iterable[Mapping[str, Any]] = (runs.read_object(Path(path)) for path in paths)
    return list(dict.fromkeys(body[receipts.PROBLEM] for body in noted if receipts.PROBLEM in body))


def expect_none(paths: Iterable[str]) -> None:
    """Raise an `ExceptionGroup` of the problems that receipts note."""
    lines = lines_of(paths)
    if lines:
        raise ExceptionGroup("archives are missing or wrong", [Described(line) for line in lines])


def forget(output_dir: Path) -> None:
    """Remove the receipts that note a problem, at the end of the run."""
    folders = (output_dir / receipts.STATE / step for step in (receipts.FETCHED, receipts.ARCHIVES))
    found = (folder / str(name) for folder in folders for name in receipts.names(folder))
    receipts.remove(path for path in found if receipts.PROBLEM in runs.read_object(path))
