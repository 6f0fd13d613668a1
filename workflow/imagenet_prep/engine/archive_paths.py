"""Where an archive goes, and where one lies that needs no download.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from imagenet_prep import commands
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.download import partial
from imagenet_prep.engine import packed
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import is_writable
from imagenet_prep.formats import tree

FOLDER = "archives"
"""The folder of the archives where the configuration names no other one."""


def link_of(config: Mapping[str, Any], name: str) -> Path:
    """Where users find an archive: a link to it, or the archive itself where somebody has put it there."""
    return Path(config["output_dir"], "archives", config["archives"][name]["file"])


def note_of(link: Path) -> Path:
    """The file that says in words where the link would lead, on a file system without symbolic links."""
    return link.with_name(f"{link.name}.path")


def _noted(link: Path) -> Path | None:
    """Where an archive lies by that file; None where it does not say, or nothing is there any more."""
    try:
        said = note_of(link).read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n")
    except OSError:
        return None
    archive = Path(os.path.realpath(link.parent), said)
    return archive if os.path.isfile(archive) else None


def spare_of(config: Mapping[str, Any]) -> Path:
    """The folder where archives go for which `archives_dir` has no place."""
    return Path(config["output_dir"]) / "downloads"


def find(config: Mapping[str, Any], name: str) -> Path | None:
    """Where an archive lies that is there, whole as far as its name tells; None where it is not.

    What lies in the place of the link is the archive; then comes what lies in `archives_dir`, what was downloaded into
    the output folder, and last what the link leads to: an archive under another name, or a copy somewhere else.
    """
    link = link_of(config, name)
    here = [link] if not link.is_symlink() else []
    has_images = name in dataset_of(config).of_archive
    for place in (*here, Path(config["archives_dir"]) / link.name, spare_of(config) / link.name):
        is_to_be_packed = has_images and packed.is_gzip(place)
        if os.path.isfile(place) and not os.path.isfile(f"{place}.aria2") and not is_to_be_packed:
            return place
    if is_outdated(config, name):
        return None
    return link if os.path.isfile(link) or below(config, name) else _noted(link)


def is_outdated(config: Mapping[str, Any], name: str) -> bool:
    """Whether an archive was packed of something that is another one now."""
    link = link_of(config, name)
    own = _real(packed.place_of(Path(config["output_dir"]), link.name))
    target = target_of(link) if link.is_symlink() else _noted(link)
    return target == own and own.is_file() and not packed.is_current(own)


def _real(path: Path) -> Path:
    """A path whose folders are no links, while it may be one itself."""
    return Path(os.path.realpath(path.parent), path.name)


def below(config: Mapping[str, Any], name: str) -> str:
    """The path below `archives_dir` of the folder that is used in place of an archive; "" where none is.

    The table of images names the files in it by this path and theirs below it.
    """
    link = link_of(config, name)
    if not is_folder(link):
        return ""
    target, root = target_of(link), os.path.abspath(config["archives_dir"])
    return target.relative_to(root).as_posix() if target.is_relative_to(root) else ""


def is_folder(archive: Path) -> bool:
    """Whether it is a link to a folder that is used in place of an archive."""
    return archive.is_symlink() and os.path.isdir(archive)


def is_stand_in(config: Mapping[str, Any], name: str, archive: Path) -> bool:
    """Whether `archive`, the path that `archive_of` gives, was packed, or has another name than the archive.

    What somebody has put or linked into the archive's place, under its name, is the archive.
    """
    file = config["archives"][name]["file"]
    places = (Path(config["archives_dir"]), spare_of(config))
    if archive in [Path(os.path.abspath(place / file)) for place in places]:
        return False
    target = target_of(archive) if archive.is_symlink() else archive
    return target.name != file or target.parent.name == packed.FOLDER


def target_of(link: Path) -> Path:
    """Where a link leads, itself perhaps a link."""
    return Path(os.path.normpath(os.path.join(os.path.realpath(link.parent), os.readlink(link))))


def archive_of(config: Mapping[str, Any], name: str) -> Path:
    """Where an archive is read: where it lies, or where it would be linked, for an error that names its place."""
    return Path(os.path.abspath(find(config, name) or link_of(config, name)))


def images_of(config: Mapping[str, Any], name: str) -> Path:
    """The file that an archive's images are in; of a folder, the one where the paths in the table of images begin."""
    archive = archive_of(config, name)
    return Path(os.path.abspath(config["archives_dir"])) if os.path.isdir(archive) else archive


def is_linked(config: Mapping[str, Any], name: str, archive: Path) -> bool:
    """Whether the link to an archive, or the note in its place, leads to this file, or it is this file."""
    link = link_of(config, name)
    try:
        return (link if os.path.lexists(link) else _noted(link) or link).samefile(archive)
    except OSError:
        return False


def stat(archive: Path) -> list[int]:
    """Size and time of the last change (ns since 1970) of an archive: while both are the same, it is not read again.

    Of a folder in place of one, what `tree.state` says.
    """
    if os.path.isdir(archive):
        return tree.state(archive)
    status = archive.stat()
    return [status.st_size, status.st_mtime_ns]


def urls_of(config: Mapping[str, Any], name: str) -> list[str]:
    """The addresses from which an archive can be had, in the order in which they are asked."""
    given = config["archives"][name]["url"]
    return [given] if isinstance(given, str) else given or []


def place_of(config: Mapping[str, Any], name: str) -> Path:
    """Where an archive is downloaded or copied to, which is not there.

    Into `archives_dir`, if that is writable, else into the spare folder; but where only the spare one has a part of it,
    the download goes on there.
    """
    own = Path(config["archives_dir"], config["archives"][name]["file"])
    other = spare_of(config) / own.name
    begun = [os.path.exists(partial.path_of(place)) for place in (own, other)]
    return other if begun == [False, True] or not is_writable(own.parent) else own


def expect_folder(config: Mapping[str, Any]) -> None:
    """Raise `PrepError` where the folder of the archives is closed, or is not there, and is named; names a similar one.

    One that somebody has named is not made: it may be mistyped, and then all archives would be downloaded again.
    """
    folder = Path(config["archives_dir"])
    path = Path(os.path.abspath(folder))
    if config["synthetic"]:
        return
    try:
        os.stat(folder)
        if not os.access(folder, os.R_OK | os.X_OK):
            problem, remedy = f"the folder {path} is closed to you", "Ask its owner for the right to read it"
            raise PrepError("configuration key archives_dir", problem, remedy)
        return
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:  # it may be there, where this user may not look
        return
    if folder == Path(FOLDER):
        return
    near = _similar(path)
    meant = f"Did you mean {near}? Write that there" if near else "Write the right one there"
    remedy = f"{meant}, or make it, to have the archives downloaded into it: `mkdir -p {commands.typed(folder)}`"
    raise PrepError("configuration key archives_dir", f"there is no folder {path}", remedy)


def _similar(missing: Path) -> Path | None:
    """A folder that is there, of which one part is written a little differently; None where there is none."""
    above = next(path for path in missing.parents if path.is_dir())
    wrong, *below = missing.relative_to(above).parts
    try:
        beside = sorted(entry.name for entry in os.scandir(above) if entry.is_dir())
    except OSError:
        return None
    alike = difflib.get_close_matches(wrong, beside, 3, 0.75)
    return next((above.joinpath(name, *below) for name in alike if above.joinpath(name, *below).is_dir()), None)


def is_local(url: str) -> bool:
    """Whether what a source has is linked or copied, and not downloaded."""
    return url.startswith("file:")


def local_path(url: str) -> Path | None:
    """The path that a file URL means; None where it is none."""
    try:
        return Path(unquote(urlsplit(url).path))
    except ValueError:
        return None
