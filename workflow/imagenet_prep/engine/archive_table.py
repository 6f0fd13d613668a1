"""Where each archive lies, or will be downloaded from, and what is wrong with it, all that can be seen before a run."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.download import partial
from imagenet_prep.download.failures import ADDRESS, BY_HAND
from imagenet_prep.engine import archive_check, archive_paths, archive_search
from imagenet_prep.engine.table_steps import expected
from imagenet_prep.errors import PrepError
from imagenet_prep.progress import grouped

Config = Mapping[str, Any]
Problem = PrepError | OSError
"""What a user can cause and mend: of this project, or of the operating system."""

NO_URL = "the archive is not there, and the configuration gives no url for it"


@dataclass
class Seen:
    """What can be seen of an archive without reading it.

    Attributes:
        name: in the configuration.
        expected: its size in bytes, as configured; None where it is not known.
        path: where it lies; None where it is not there.
        nbytes: its size there.
        source: the host that it will be downloaded from; None where it lies there, or cannot be had.
        place: where a download goes.
        begun: bytes of that which have come already.
        is_source: whether another form of the archive lies at `path`, of which nothing is expected.
        unused: what looks like it in the folder of the archives, and is not used, a line each.
        problem: what is wrong; None where nothing is.
        is_needed: whether it is to be read, or downloaded.
    """

    name: str
    expected: int | None
    path: Path | None = None
    nbytes: int | None = None
    source: str | None = None
    place: Path = field(default_factory=Path)
    begun: int = 0
    is_source: bool = False
    unused: list[str] = field(default_factory=list)
    problem: Problem | None = None
    is_needed: bool = True


def look(config: Config, to_read: Collection[str]) -> list[Seen]:
    """Look at each archive in use.

    Args:
        config: complete.
        to_read: the names of those that are to be read, or downloaded; only in these anything can be wrong.
    """
    dataset, names = dataset_of(config), [it for it in dataset_of(config).archives if it in config["use"]]
    there = {name: archive_paths.find(config, name) for name in names}
    missing = {name: config["archives"][name] for name in names if name in to_read and there[name] is None}
    found = archive_search.find(Path(config["archives_dir"]), missing, dataset) if missing else []
    seen = []
    for name in names:
        settings = config["archives"][name]
        archive = Seen(name, settings["bytes"], there[name], is_needed=name in to_read)
        try:
            if name in missing:
                _search(archive, config, found)
            if archive.path:
                if archive.path.is_file():
                    archive.nbytes = archive.path.stat().st_size
                if archive.is_needed and not archive.is_source:
                    wanted = archive_check.Expected(**expected(config, name))
                    if there[name]:
                        wanted = archive_check.expected_of(config, name, wanted)
                    archive_check.glance(dataset.archives[name], archive.path, settings["file"], wanted)
        except (PrepError, OSError) as error:
            archive.problem = error if archive.is_needed else None
        seen.append(archive)
    return seen


def problems(config: Config, seen: Iterable[Seen]) -> list[Problem]:
    """An error for each archive that is wrong; where their folder is not there, one for all that are missing."""
    seen = list(seen)
    missing = [archive for archive in seen if archive.is_needed and archive.path is None]
    folder = folder_problem(config) if missing else None
    if folder:
        return [folder, *(it.problem for it in seen if it.problem and it not in missing)]
    return [it.problem for it in seen if it.problem]


def folder_problem(config: Config) -> PrepError | None:
    """What is wrong with the folder of the archives; None where it is there, or is to be made."""
    try:
        archive_search.expect_mounted(Path(config["archives_dir"]))
        archive_paths.expect_folder(config)
    except PrepError as error:
        return error
    return None


def as_table(config: Config, seen: Iterable[Seen]) -> str:
    """Lines for people: each archive with where it lies or comes from, its size and the expected one."""
    seen, is_refused = list(seen), folder_problem(config) is not None
    rows = [("archive", "bytes", "expected", "where")]
    for archive in seen:
        size = "-" if archive.nbytes is None else grouped(archive.nbytes)
        wanted = "not known" if archive.expected is None else grouped(archive.expected)
        rows.append((archive.name, size, wanted, _where(archive, is_refused)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a:{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {where}".rstrip() for a, b, c, where in rows]
    if any(archive.path is None for archive in seen):
        folder, output = Path(config["archives_dir"]), Path(config["output_dir"])
        more = "which is not there" if not os.path.exists(folder) else "and in the folders in it"
        lines.append(f"looked for in {folder} ({more}), {archive_paths.spare_of(config)} and {output / 'archives'}")
    downloads = [archive for archive in seen if archive.source and archive.is_needed]
    lines += dict.fromkeys(line for archive in downloads for line in archive.unused)
    if downloads and not is_refused:
        unknown = sum(archive.expected is None for archive in downloads)
        nbytes = sum(max(0, (archive.expected or 0) - archive.begun) for archive in downloads)
        rest = f", and {unknown} of a size that is not known" if unknown else ""
        lines.append(f"to be downloaded: {grouped(nbytes)} bytes{rest}")
    return "\n".join(lines)


def _where(archive: Seen, is_refused: bool) -> str:
    wrong = " (wrong, see below)" if archive.problem else ""
    if archive.path:
        return f"{os.path.realpath(archive.path)}{wrong}"
    if not archive.is_needed:
        return "not there, and not needed now"
    if archive.source and not is_refused:
        begun = f", of which {grouped(archive.begun)} bytes have come" if archive.begun else ""
        return f"not there: to be downloaded from {archive.source} into {archive.place.parent}{begun}"
    return f"not there{wrong}"


def _search(archive: Seen, config: Config, found: list[archive_search.Candidate]) -> None:
    """Note where an archive is that is not in its place, as `fetch.find_or_fetch` finds it, or where it can be had."""
    settings, folder = config["archives"][archive.name], Path(config["archives_dir"])
    urls = archive_paths.urls_of(config, archive.name)
    archive_search.expect_mounted(folder)
    archive_search.expect_finished(folder / settings["file"])
    archive.unused = [it.message for it in found if it.archive in (archive.name, None) and not it.usable]
    for place in (folder, archive_paths.spare_of(config)):
        if os.path.isfile(place / settings["file"]):  # compressed, or it would not be missing
            archive.path, archive.is_source = place / settings["file"], True
            return
    source = archive_search.stand_in(found, archive.name)
    if source and any(it.is_source and it.path == source and it.usable for it in found):
        archive.path, archive.is_source = source, True
        return
    local = [archive_paths.local_path(url) for url in urls if archive_paths.is_local(url)]
    archive.path = next((it for it in (source, *local) if it and os.path.isfile(it)), None)
    if archive.path:
        return
    if os.path.isdir(folder / settings["file"]):
        raise PrepError(os.path.abspath(folder / settings["file"]), "this is no file", BY_HAND)
    hosts = [_host(url) for url in urls if not archive_paths.is_local(url)]
    if not hosts:
        asked = " nor from ".join(f"{path} (no such file)" for path in local)
        problem = f"the archive is not there, and could not be had from {asked}" if urls else NO_URL
        unused = f". What lies there: {archive.unused[0]}" if archive.unused else ""
        remedy = f"{ADDRESS}. {BY_HAND}" if urls else BY_HAND
        raise PrepError(os.path.abspath(folder / settings["file"]), f"{problem}{unused}", remedy)
    archive.source = hosts[0]
    archive.place = archive_paths.place_of(config, archive.name)
    archive.begun = partial.bytes_of(archive.place)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an address that is none"
    except ValueError:
        return "an address that is none"
