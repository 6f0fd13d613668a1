"""Getting an archive: the file that exists, a link to one elsewhere, or a download."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.download.limits import Limits
from imagenet_prep.engine import archive_paths, archive_search, packed
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)

# What making a symbolic link fails with where there are none: on FAT and exFAT, on shares of Windows, below FUSE.
_WITHOUT_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}


def find_or_fetch(config: Mapping[str, Any], name: str, expected: Expected, limits: Limits | None = None) -> None:
    """Link an archive, by `archive_paths.link_of`: in its place, under another name, or from one of its sources.

    Where the file system has no symbolic links, a note (`archive_paths.note_of`) takes the place of the link. A file
    that lies where the link would be is the archive, and stays. An archive that exists is used as it is, whatever its
    sources are, and never written to. What is compressed is packed first, below the output folder.

    Args:
        config: complete.
        name: the archive's.
        expected: what the configuration says of the archive; only a download is compared with it here.
        limits: of time and size, of a download; the usual ones where None.

    Raises:
        PrepError: it is not whole in its place; or it is not there and cannot be had, which names every source and its
            answer.
    """
    link = archive_paths.link_of(config, name)
    if link.exists() and not link.is_symlink():
        log.info("%s is no link: it is the archive", link)
        return
    dataset, archives_dir = dataset_of(config), Path(config["archives_dir"])
    archive_search.expect_mounted(archives_dir)
    archive_search.expect_finished(archives_dir / link.name)
    places = (folder / link.name for folder in (archives_dir, archive_paths.spare_of(config)))
    source = next((place for place in places if os.path.isfile(place)), None)
    if source is not None:
        for message in archive_search.unused_sources(archives_dir, source, name, dataset):
            log.info("%s", message)
    if source is None:
        found = archive_search.find(archives_dir, {name: config["archives"][name]}, dataset)
        for candidate in found:
            log.info("%s", candidate.message)
        source = archive_search.stand_in(found, name)
    if source is None:
        from imagenet_prep.engine import archive_sources  # the HTTP client takes longer to import than to make a link

        try:
            source = archive_sources.get(config, name, expected, limits or Limits())
        except PrepError as error:
            told = [candidate.message for candidate in found if candidate.archive]
            if not told:
                raise
            raise PrepError(error.place, f"{error.problem}. What lies there: {told[0]}", error.remedy) from error
    if parts := packed.parts_of(source, name, dataset):
        from imagenet_prep.engine.packing import pack

        source = packed.place_of(Path(config["output_dir"]), link.name)
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
