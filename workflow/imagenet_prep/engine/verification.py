"""What is written down of an archive that was read and is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine import archive_check, archive_paths
from imagenet_prep.engine.archive_headers import NOTES
from imagenet_prep.engine.receipts import STATE, Body, described, remove_of_other_content


def verify(
    config: Mapping[str, Any], name: str, read: Callable[[Path], dict[str, Any]], tables: Iterable[Path] = ()
) -> Body:
    """Read an archive, write `verified/<name>.json`, and return the body of the receipt of its scan.

    Args:
        config: complete.
        name: the archive's, in the configuration.
        read: reads the archive at this path and returns what is to stand in `verified/`; under `NOTES` what stands
            there only if it tells of something odd. It may write `tables`.
        tables: files that were written of it.

    Raises:
        PrepError: the archive is not there, or as `read`.
    """
    archive, output_dir = archive_paths.archive_of(config, name), Path(config["output_dir"])
    archive_check.expect_there(archive)
    verified = output_dir / "verified" / f"{name}.json"
    verified.unlink(missing_ok=True)  # it is of what was read before
    stat = archive_paths.stat(archive)  # as it is before: what changes while it is read is read again by the next run
    receipt = read(archive)
    notes = {NOTES: receipt.pop(NOTES)} if NOTES in receipt else {}
    odd = {key: value for key, value in notes.get(NOTES, {}).items() if value}
    # First: whatever happens from here on, nothing counts as made of this archive that was made of another one.
    remove_of_other_content(output_dir / STATE, name, archive_check.content(receipt))
    atomic.write_json(verified, {**receipt, **({NOTES: odd} if odd else {})})
    return {**body(output_dir, stat, receipt, [verified, *tables]), **notes}


def body(output_dir: Path, stat: list[int], receipt: Mapping[str, Any], files: Iterable[Path]) -> Body:
    """The body of the receipt of an archive's scan.

    Args:
        output_dir: the configured folder.
        stat: of the archive (`archive_paths.stat`).
        receipt: what stands in `verified/`.
        files: all that was written of it, `verified/` included.
    """
    return {
        "stat": stat,
        "content": archive_check.content(receipt),
        "members": receipt["members"],
        **{key: receipt[key] for key in ("source",) if key in receipt},
        "files": described(output_dir, files),
    }
