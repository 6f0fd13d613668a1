"""Getting an archive: the file that exists, a link to one elsewhere, or a download."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.download.limits import Limits
from imagenet_prep.engine import archive_paths, archive_search, packed
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)

# What making a symbolic link fails with where there are none: on FAT and exFAT, on shares of Windows, below FUSE.
_WITHOUT_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}


def find_or_fetch(
    name: str,
    settings: Mapping[str, Any],
    dataset: Dataset,
    archives_dir: Path,
    local: str,
    link: Path,
    *,
    connections: int,
    expected: Expected,
    spare: Path,
    make_folder: bool = True,
    limits: Limits | None = None,
) -> None:
    """Make `link` a symbolic link to an archive: in its place, under another name, or from one of its sources.

    Where the file system has no symbolic links, a note (`archive_paths.note_of`) takes the place of the link. A file
    that lies where the link would be is the archive, and stays. An archive that exists is used as it is, whatever its
    sources are, and never written to. What is compressed is packed first, below the output folder.

    Args:
        name: the archive's name in the configuration.
        settings: what the configuration has of it.
        dataset: that it is of.
        archives_dir: where archives lie; what stands in for this one is looked for there and in folders below.
        local: "link" or "copy", for what comes from a file URL.
        link: the link to make.
        connections: how many fetch parts of a download side by side.
        expected: what the configuration says of the archive; only a download is compared with it here.
        spare: the folder where an archive goes, or went in an earlier run, whose own folder is not writable.
        make_folder: whether `archives_dir` is made, if it is not there, for what comes from a source.
        limits: of time and size, of a download; the usual ones where None.

    Raises:
        PrepError: it is not whole in its place; or it is not there and cannot be had, which names every source and its
            answer.
    """
    if link.exists() and not link.is_symlink():
        log.info("%s is no link: it is the archive", link)
        return
    archive = archives_dir / settings["file"]
    archive_search.expect_mounted(archives_dir)
    archive_search.expect_finished(archive)
    source = next((place for place in (archive, spare / archive.name) if os.path.isfile(place)), None)
    if source is not None:
        for message in archive_search.beside(archives_dir, source, name, dataset):
            log.info("%s", message)
    if source is None:
        found = archive_search.find(archives_dir, {name: settings}, dataset)
        for candidate in found:
            log.info("%s", candidate.message)
        source = archive_search.stand_in(found, name)
    if source is None:
        from imagenet_prep.engine.archive_sources import (
            get,  # the HTTP client takes longer to import than to make a link
        )

        urls = [settings["url"]] if isinstance(settings["url"], str) else settings["url"] or []
        try:
            source = get(
                archive, urls, local, spare, connections, expected, limits or Limits(), make_folder=make_folder
            )
        except PrepError as error:
            told = [candidate.message for candidate in found if candidate.archive]
            if not told:
                raise
            raise PrepError(error.place, f"{error.problem}. What lies there: {told[0]}", error.remedy) from error
    if parts := packed.parts_of(source, name, dataset):
        from imagenet_prep.engine.packing import pack

        source = packed.place_of(spare.parent, link.name)
        if not (source.is_file() and packed.is_current(source)):
            pack(name, parts, dataset, source)
    _link(source, link)


def _link(source: Path, link: Path) -> None:
    # A relative target begins where the folder of the link really lies, whatever links lead there.
    folder, origin = os.path.realpath(link.parent), os.path.realpath(source.parent)
    if folder == origin and source.name == link.name:  # one folder by two names: a link would replace the archive
        return
    if source.is_dir():  # by the path below archives_dir, through whatever links
        target = Path(os.path.relpath(os.path.abspath(source), folder))
    else:
        target = source if source.is_absolute() else Path(os.path.relpath(os.path.join(origin, source.name), folder))
    note = archive_paths.note_of(link)
    try:
        with atomic.replacing(link) as unfinished:
            unfinished.unlink(missing_ok=True)
            unfinished.symlink_to(target)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        log.info("%s: this file system has no symbolic links; %s says where the archive lies", link.parent, note.name)
        atomic.write_bytes(note, os.fsencode(target) + b"\n")
    else:
        note.unlink(missing_ok=True)
