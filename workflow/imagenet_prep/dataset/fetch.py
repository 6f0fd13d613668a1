"""Getting an archive: the file that lies there, a link to one elsewhere, or a download."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.dataset import possessions
from imagenet_prep.dataset.archives import Expected
from imagenet_prep.download.limits import Limits
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)


def find_or_fetch(
    name: str,
    settings: Mapping[str, Any],
    archives_dir: Path,
    local: str,
    link: Path,
    *,
    connections: int,
    expected: Expected,
    spare: Path,
) -> None:
    """Make `link` a symbolic link to an archive: in its place, under another name, or fetched.

    Args:
        name: the archive's name in the configuration.
        settings: what the configuration has of it.
        archives_dir: where archives lie; what stands in for this one is looked for there and in folders below.
        local: as for `fetch`, and so on.

    Raises:
        PrepError: it is not whole in its place, or it is not there and cannot be had.
    """
    archive = archives_dir / settings["file"]
    possessions.expect_finished(archive)
    found: list[possessions.Possession] = []
    if not archive.is_file() and not (spare / archive.name).is_file():
        found = possessions.find(archives_dir, {name: settings})
        for possession in found:
            log.info("%s", possession.message)
        stand_in = possessions.stand_in(found, name)
        if stand_in is not None:
            _link(stand_in, link)
            return
    try:
        fetch(archive, settings["url"], local, link, connections=connections, expected=expected, spare=spare)
    except PrepError as error:
        if not found:
            raise
        raise PrepError(error.place, f"{error.problem}. What lies there: {found[0].message}", error.remedy) from error


def fetch(
    archive: Path,
    url: str | Sequence[str] | None,
    local: str,
    link: Path,
    *,
    connections: int,
    expected: Expected,
    spare: Path,
    limits: Limits | None = None,
) -> None:
    """Make `link` a symbolic link to the archive; download or copy it first where it is not there.

    An archive that lies at `archive` is used as it is, whatever `url` says, and never written to.

    Args:
        archive: where the archive lies or goes.
        url: where it comes from otherwise, several in order of preference: http, https, file, or a plain path.
        local: "link" or "copy", for what comes from a plain path or file URL.
        link: the link to make.
        connections: how many fetch parts of a download side by side.
        expected: what the configuration says of the archive; only a download is held against it here.
        spare: the folder where an archive goes, or went in an earlier run, whose own folder is not writable.
        limits: of time and size, of a download.

    Raises:
        PrepError: it is not there and cannot be had; names every source and its answer.
    """
    places = (archive, spare / archive.name)
    source = next((place for place in places if place.is_file()), None)
    if source is None:
        urls = [url] if isinstance(url, str) else list(url or [])
        from imagenet_prep.dataset.supply import bring  # the HTTP client takes longer to import than to make a link

        source = bring(archive, urls, local, spare, connections, expected, limits or Limits())
    _link(source, link)


def _link(source: Path, link: Path) -> None:
    with atomic.replacing(link) as unfinished:
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(source if source.is_absolute() else os.path.relpath(source, link.parent))
