"""Getting an archive that is not there: from a path, a file URL, or the net."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def get(config: Mapping[str, Any], name: str, expected: Expected, limits: Limits) -> Path:
    """Copy or download an archive from the first of its sources that has it, or find it there; return where it lies.

    The arguments are those of `fetch.find_or_fetch`.

    Raises:
        PrepError: no source has it; names each with its answer.
    """
    archive, urls = Path(config["archives_dir"], config["archives"][name]["file"]), archive_paths.urls_of(config, name)
    if not urls:
        raise PrepError(archive, NO_URL, BY_HAND)
    answers: list[str] = []
    remedies: list[str] = []
    kept = 0
    place = archive_paths.place_of(config, name)
    for is_local, group in itertools.groupby(urls, archive_paths.is_local):
        if is_local:
            for url in group:
                path = archive_paths.local_path(url)
                if path and os.path.isfile(path):
                    if config["download"]["local"] == "link":
                        return path
                    archive_paths.expect_folder(config)
                    return _copy(path, place)
                answers.append(f"{shown(url)} (no such file, or none that you may read)")
                remedies.append(ADDRESS)
            continue
        archive_paths.expect_folder(config)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Neighbours go together: a download goes on at its mirrors.
            download(list(group), place, config["download"]["connections"], expected, limits)
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


def _copy(source: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    atomic.remove_leftovers(place)
    with atomic.replacing(place) as unfinished:
        shutil.copyfile(source, unfinished)
    return place
