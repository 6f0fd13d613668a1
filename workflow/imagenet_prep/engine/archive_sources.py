"""Getting an archive that is not there: from a path, a file URL, or the net."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.download import partial
from imagenet_prep.download.failures import ADDRESS, BY_HAND, LATER
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.mirrors import NotHad, download
from imagenet_prep.download.sources import shown
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.archive_table import NO_URL
from imagenet_prep.errors import PrepError


def get(
    archive: Path,
    urls: Sequence[str],
    local: str,
    spare: Path,
    connections: int,
    expected: Expected,
    limits: Limits,
    *,
    make_folder: bool,
) -> Path:
    """Link, copy or download an archive from the first of its sources that has it; return where it lies then.

    The arguments are those of `fetch.find_or_fetch`.

    Raises:
        PrepError: no source has it; names each with its answer.
    """
    if not urls:
        raise PrepError(archive, NO_URL, BY_HAND)
    answers: list[str] = []
    remedies: list[str] = []
    kept = 0
    place = archive_paths.place_of(archive, spare)
    for is_local, group in itertools.groupby(urls, archive_paths.is_local):
        if is_local:
            for url in group:
                path = archive_paths.local_path(url)
                if path and os.path.isfile(path) and local == "link":
                    return path
                if path and os.path.isfile(path):
                    _expect_folder(archive, make_folder)
                    return _copy(path, place)
                answers.append(f"{shown(url)} (no such file, or none that you may read)")
                remedies.append(ADDRESS)
            continue
        _expect_folder(archive, make_folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Neighbours go together: a download goes on at its mirrors.
            download(list(group), place, connections, expected, limits)
            return place
        except NotHad as error:
            answers += [f"{source} ({failure.answer})" for source, failure in error.failures]
            remedies += [failure.remedy for _, failure in error.failures]
            kept = error.kept
    problem = f"the archive is not there, and could not be had from {' nor from '.join(answers)}"
    if kept:
        problem += f"; the {kept} bytes that have come are kept in {partial.path_of(place)}"
    # To wait helps least.
    remedies = sorted(dict.fromkeys([*remedies, BY_HAND]), key=lambda remedy: remedy == LATER)
    raise PrepError(archive, problem, ". ".join(remedies))


def _expect_folder(archive: Path, make_folder: bool) -> None:
    if not make_folder:
        archive_paths.expect_folder(archive.parent)


def _copy(source: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    atomic.remove_leftovers(place)
    with atomic.replacing(place) as unfinished:
        shutil.copyfile(source, unfinished)
    return place
