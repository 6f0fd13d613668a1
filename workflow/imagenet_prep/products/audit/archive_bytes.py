"""The images of an archive as they lie there now, against the checksums that its scan took."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from imagenet_prep import commands, signals
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.image_bytes import extract
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.facts import Facts
from imagenet_prep.products.audit.findings import Check
from imagenet_prep.progress import Progress

_IMAGES = 1024  # that a process reads in one go
_COLUMNS = ["filename", "offset", "length", "crc32c"]

log = logging.getLogger(__name__)


def check_archive(facts: Facts, split: str, workers: int) -> Check | None:
    """Read the images of a split in its archive, which is a file; None where the archive was taken away."""
    name = facts.dataset.splits[split].archive
    archive = archive_paths.find(facts.config, name)
    if archive is None:
        log.info("archive %s is not there: its images were not looked at", name)
        return None
    check = Check(f"archive {name}", {"images": 0, "bytes": 0})
    images = facts.images(split)
    progress = Progress(f"reading {check.name}", len(images), "images")
    with ProcessPoolExecutor(workers, initializer=signals.leave_at_once) as pool:
        for table in images.parts(_COLUMNS):
            rows = table.sort_by("offset").to_pylist()
            parts = [rows[first : first + _IMAGES] for first in range(0, len(rows), _IMAGES)]
            for part, error in zip(parts, pool.map(partial(_first_wrong, archive), parts), strict=True):
                if error:
                    mend = f"put the right archive in its place, then {commands.snakemake('verify')}"
                    check.add(str(error).removesuffix(f". {error.remedy}."), mend, kind="changed images")
                check.figures["images"] += len(part)
                check.figures["bytes"] += sum(row["length"] for row in part)
                progress.advance(len(part))
    return check


def _first_wrong(archive: Path, rows: Sequence[dict[str, Any]]) -> PrepError | None:
    try:
        for _ in extract(archive, rows):
            pass
    except PrepError as error:
        return error
    return None
