"""Bringing an archive that is not there: from a path, a file URL, or the net."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from imagenet_prep import atomic
from imagenet_prep.dataset.archives import Expected
from imagenet_prep.download import partial
from imagenet_prep.download.failures import ACCOUNT, ADDRESS
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.mirrors import NotHad, download
from imagenet_prep.download.sources import shown
from imagenet_prep.errors import PrepError


def bring(
    archive: Path,
    urls: Sequence[str],
    local: str,
    spare: Path,
    connections: int,
    expected: Expected,
    limits: Limits,
) -> Path:
    """Link, copy or download an archive from the first of its sources that has it; return where it lies then.

    The arguments are those of `fetch.fetch`.

    Raises:
        PrepError: no source has it; names each with its answer.
    """
    if not urls:
        raise PrepError(archive, "the archive is not there, and the configuration gives no url for it", ACCOUNT)
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
            download(group, place, connections, expected, limits)
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
    atomic.remove_leftovers(place)
    with atomic.replacing(place) as unfinished:
        shutil.copyfile(source, unfinished)
    return place
