"""Getting an archive: the file that lies there, a link to one elsewhere, or a download."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from imagenet_prep import atomic
from imagenet_prep.dataset import possessions
from imagenet_prep.dataset.archives import Expected
from imagenet_prep.download import partial
from imagenet_prep.download.failures import ACCOUNT, ADDRESS
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.mirrors import NotHad, download
from imagenet_prep.download.sources import shown
from imagenet_prep.download.transfer import Wanted
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
        source = _from_sources(archive, urls, local, spare, connections, expected, limits or Limits())
    _link(source, link)


def _link(source: Path, link: Path) -> None:
    with atomic.replacing(link) as unfinished:
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(source if source.is_absolute() else os.path.relpath(source, link.parent))


def _from_sources(
    archive: Path,
    urls: Sequence[str],
    local: str,
    spare: Path,
    connections: int,
    expected: Expected,
    limits: Limits,
) -> Path:
    if not urls:
        raise PrepError(archive, "the archive is not there, and the configuration gives no url for it", ACCOUNT)
    wanted = Wanted(expected.algorithm, expected.checksum, expected.nbytes)
    answers: list[str] = []
    remedies: list[str] = []
    kept = 0
    for remote, group in _grouped(urls):
        if not remote:
            path = _local_path(group[0])
            if path is not None and path.is_file():
                if local == "link":
                    return path
                return _copy(path, _place(archive, spare))
            answers.append(f"{shown(group[0])} (no such file)" if path else f"{shown(group[0])} (this is no address)")
            remedies.append(ADDRESS)
            continue
        place = _place(archive, spare)
        try:
            download(group, place, connections, wanted, limits)
            return place
        except NotHad as error:
            answers += [f"{source} ({failure.answer})" for source, failure in error.failures]
            remedies += [failure.remedy for _, failure in error.failures]
            kept = error.kept
    problem = f"the archive is not there, and could not be had from {' nor from '.join(answers)}"
    if kept:
        problem += f"; the {kept} bytes that have come are kept in {partial.path_of(_place(archive, spare))}"
    raise PrepError(archive, problem, ". ".join(dict.fromkeys([*remedies, ACCOUNT])))


def _grouped(urls: Sequence[str]) -> list[tuple[bool, list[str]]]:
    """The sources in order, neighbours together that are to be downloaded from: a download goes on at its mirrors."""
    groups: list[tuple[bool, list[str]]] = []
    for url in urls:
        remote = url.lower().startswith(("http://", "https://"))
        if remote and groups and groups[-1][0]:
            groups[-1][1].append(url)
        else:
            groups.append((remote, [url]))
    return groups


def _local_path(url: str) -> Path | None:
    """The path that a plain path or a file URL means; None for any other address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.scheme:
        return Path(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _place(archive: Path, spare: Path) -> Path:
    """Where an archive goes: into its own folder where that is writable, unless a part of it lies in the spare one."""
    other = spare / archive.name
    if partial.path_of(other).exists() and not partial.path_of(archive).exists():
        return other
    existing = next(path for path in (archive.parent.absolute(), *archive.absolute().parents) if path.exists())
    place = archive if os.access(existing, os.W_OK | os.X_OK) else other
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _copy(source: Path, place: Path) -> Path:
    with atomic.replacing(place) as unfinished:
        shutil.copyfile(source, unfinished)
    return place
