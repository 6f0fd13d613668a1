"""What people have of the archives already: under other names, in other folders, unpacked, or half downloaded.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.datasets.names import CLASS_FOLDER, CLASS_TAR
from imagenet_prep.download import partial
from imagenet_prep.engine import archive_strangers, packed
from imagenet_prep.engine.source_search import Source, in_file, labels_of, outermost, sources
from imagenet_prep.errors import PrepError

_DEPTH = 5  # of a folder with ILSVRC/Data/CLS-LOC/train
_ENTRIES = 20_000  # looked at in one folder
_QUICKLY_READ = 1 << 30  # a checksum of so many bytes takes seconds

_IMAGE = re.compile(r"\w+\.(?:JPEG|xml)")
_ARCHIVE = re.compile(r"\.(?:tar|tar\.gz|tgz|zip)$")
_ENDING = re.compile(r"\.(?:tar|tar\.gz|tgz|json)$")
_UNFINISHED = (".part", ".partial", ".crdownload", ".opdownload", ".download", ".aria2", ".filepart", ".tmp")
_NOT_USED = "{}: it is not used, since {} is there, too"
_OF_ANOTHER_PROGRAM = "Let the program that began it finish it; this workflow cannot go on with it"


@dataclass(frozen=True)
class Candidate:
    """One thing that lies in `archives_dir`, though not where the configuration has it.

    Attributes:
        usable: whether it can stand in for the archive, by a link to it.
        archive: the archive that it is of; None where that cannot be told.
        path: where it lies.
        message: one line: what it is, and what follows.
        is_source: whether it holds what the archive does in another form.
    """

    usable: bool
    archive: str | None
    path: Path
    message: str
    is_source: bool = False


@dataclass
class _Folder:
    path: Path
    files: list[tuple[Path, int]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of the files."""
        return [path.name for path, _ in self.files]


def find(
    archives_dir: Path, archives: Mapping[str, Mapping[str, Any]], dataset: Dataset, *, checksums: bool = True
) -> list[Candidate]:
    """Look in `archives_dir` and a few folders further down for what stands in for archives, or looks as if it did.

    An archive that lies where the configuration has it is not searched for. Under another name an archive is known by
    its size, where the configuration has it, and below 1 GiB by its checksum too; without a size by its checksum, if
    the file is about as large as that archive is known to be. A file in a folder further down that has the archive's
    name is taken for it. Whatever is taken is verified later, as any archive.

    Args:
        archives_dir: may be missing.
        archives: settings by name, of those that are searched for.
        dataset: that they are of.
        checksums: False leaves out what only a checksum can tell, and takes no longer than looking through the folders.

    Returns:
        What was found, best first: the usable ones, what else tells of an archive, and last what tells of none.
    """
    missing = {
        name: settings for name, settings in archives.items() if not _is_in_place(archives_dir, name, settings, dataset)
    }
    if not missing:
        return []
    folders: list[_Folder] = []
    found = []
    for folder in _walk(archives_dir, 0, set()):
        if isinstance(folder, Candidate):
            found.append(folder)
        else:
            folders.append(folder)
    files = [file for folder in folders for file in folder.files if not CLASS_TAR.fullmatch(file[0].name)]
    for name, settings in missing.items():
        found += _stand_in(name, settings, dataset.archives[name].size, files, checksums)
        found += _unfinished(name, settings, files, [path for folder in folders for path in folder.folders])
    used = {candidate.path for candidate in found if candidate.usable}
    others = outermost([it for at in folders for it in sources(at.path, at.names, at.folders, dataset)])
    for path, size in files:
        if path not in used and size and _may_be_source(path, missing, dataset):
            others += in_file(path, dataset)
    others.sort(key=lambda source: bool(source.lacks))
    found += _candidates([*others, *labels_of(others, dataset)], missing, dataset)
    known = used | {source.path for source in others}
    finished = [it for it in files if not _is_begun(it[0])]
    for archive, path, line in archive_strangers.told(
        [(it.path, it.folders) for it in folders], finished, known, dataset
    ):
        found.append(Candidate(False, archive, path, line))
    found.sort(key=lambda candidate: (not candidate.usable, candidate.is_source, candidate.archive is None))
    return [_first_alone(it, found) for it in found]


def _is_in_place(archives_dir: Path, name: str, settings: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether an archive lies where the configuration has it, and need not be packed first."""
    place = archives_dir / settings["file"]
    return os.path.isfile(place) and not (name in dataset.of_archive and packed.is_gzip(place))


def _is_begun(path: Path) -> bool:
    """Whether a file is a download that is not finished."""
    return path.name.endswith(_UNFINISHED) or partial.is_bad(path.name) or os.path.isfile(f"{path}.aria2")


def _may_be_source(path: Path, missing: Mapping[str, Mapping[str, Any]], dataset: Dataset) -> bool:
    """Whether a file may hold what an archive does, and is no download of it that broke off."""
    if not _ARCHIVE.search(path.name) or _is_begun(path):
        return False
    archives = {settings["file"] for settings in missing.values()} | {it.file for it in dataset.archives.values()}
    return path.name not in archives or (packed.is_gzip(path) and path.name.endswith(".tar"))


def _candidates(
    found: Iterable[Source], missing: Mapping[str, Mapping[str, Any]], dataset: Dataset
) -> Iterator[Candidate]:
    for source in found:
        if source.archive in missing:
            message = source.message(missing[source.archive]["file"], dataset)
            yield Candidate(True, source.archive, source.path, message, is_source=True)


def unused_sources(archives_dir: Path, archive: Path, name: str, dataset: Dataset) -> list[str]:
    """A line for each folder that holds the same as an archive in another form, and is not used: the archive exists."""
    folders = [it for it in _walk(archives_dir, 0, set()) if isinstance(it, _Folder)]
    found = outermost([source for it in folders for source in sources(it.path, it.names, it.folders, dataset)])
    return [_NOT_USED.format(it.path, archive) for it in found if it.archive == name]


def _first_alone(candidate: Candidate, found: list[Candidate]) -> Candidate:
    """The candidate; not usable, where another one that could stand in for the same archive comes first."""
    first = next(it for it in found if it.archive == candidate.archive and it.usable == candidate.usable)
    if not candidate.usable or first is candidate:
        return candidate
    return replace(candidate, usable=False, message=_NOT_USED.format(candidate.path, first.path))


def stand_in(found: list[Candidate], archive: str) -> Path | None:
    """The file to use for an archive that is not in its place; None where none was found."""
    return next((candidate.path for candidate in found if candidate.usable and candidate.archive == archive), None)


def expect_mounted(archives_dir: Path) -> None:
    """Raise `PrepError` where `archives_dir`, or a folder above it, is a link to nowhere, as of a disk not mounted.

    All archives would be downloaded again, into a folder of that name on another disk.
    """
    for folder in (archives_dir, *archives_dir.parents):
        if os.path.islink(folder) and not os.path.exists(folder):
            problem = f"{folder} is a link to {os.path.realpath(folder)}, which is not there"
            remedy = "Mount that disk, or mend the link; delete the link to begin anew without it"
            raise PrepError(os.path.abspath(archives_dir), problem, remedy)


def expect_finished(archive: Path) -> None:
    """Raise `PrepError` for what only looks like an archive in its place, before anybody reads or replaces it.

    aria2 gives a file its name and size from the beginning. A link to nowhere mostly means a disk that is not mounted.
    """
    control = archive.with_name(f"{archive.name}.aria2")
    if os.path.isfile(archive) and os.path.isfile(control):
        problem = f"aria2 has not finished this download: {control.name} lies beside it"
        raise PrepError(archive, problem, "Run aria2c again as before; if the file is whole, delete the one of aria2")
    if os.path.islink(archive) and not os.path.exists(archive):
        problem = f"this is a link to {os.path.realpath(archive)}, which is not there"
        raise PrepError(archive, problem, "Mount that disk or mend the link; delete the link to have it downloaded")


def _walk(path: Path, depth: int, seen: set[tuple[int, int]]) -> Iterator[_Folder | Candidate]:
    try:
        status = path.stat()
        if (status.st_dev, status.st_ino) in seen:  # a link that leads back
            return
        seen.add((status.st_dev, status.st_ino))
        folder = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        message = f"{path}: this folder cannot be read ({error.strerror}): what lies in it is not used"
        yield Candidate(False, None, path, message)
        return
    yield folder
    if depth < _DEPTH:
        for child in folder.folders:
            if not CLASS_FOLDER.fullmatch(child.name) and not child.name.endswith(_UNFINISHED):
                yield from _walk(child, depth + 1, seen)


def _read(path: Path) -> _Folder:
    folder = _Folder(path)
    with os.scandir(path) as entries:
        for entry in islice(entries, _ENTRIES):
            try:
                if entry.is_dir():
                    folder.folders.append(path / entry.name)
                elif entry.is_file():
                    # Nobody asks for the sizes of images, and on a network each would cost a question.
                    size = 0 if _IMAGE.fullmatch(entry.name) else entry.stat().st_size
                    folder.files.append((path / entry.name, size))
            except OSError:  # a link in a circle, or one that vanished
                continue
    folder.files.sort()
    folder.folders.sort()
    return folder


def _stand_in(
    name: str, settings: Mapping[str, Any], published: int, files: list[tuple[Path, int]], checksums: bool
) -> Iterator[Candidate]:
    expected = settings["bytes"]
    algorithm = "sha256" if settings["sha256"] else "md5"
    for path, size in files:
        if _is_begun(path):
            continue
        where = "in another folder" if path.name == settings["file"] else "under another name"
        if path.name == settings["file"]:
            fits = expected in (None, size)
        elif expected is not None:
            fits = size == expected and (
                not checksums or size > _QUICKLY_READ or _has(path, algorithm, settings[algorithm])
            )
        else:
            plausible = settings[algorithm] is not None and published / 2 < size < published * 2
            fits = checksums and plausible and _has(path, algorithm, settings[algorithm])
        if fits:
            message = f"{path}: this is {settings['file']} {where}: it is used as it lies there"
            yield Candidate(True, name, path, message)
        elif _is_unpacked(path, size, settings, checksums):
            message = (
                f"{path}: this is {settings['file']} unpacked, with the right content: it is used as it lies there"
            )
            yield Candidate(True, name, path, message)


def _is_unpacked(path: Path, size: int, settings: Mapping[str, Any], checksums: bool) -> bool:
    checksum = settings.get("unpacked_sha256")
    named = _ENDING.sub("", path.name) == _ENDING.sub("", settings["file"])
    if checksum is None or size > _QUICKLY_READ or not (named or path.suffix == ".tar"):
        return False
    return _has(path, "sha256", checksum) if checksums else named and path.suffix == ".tar"


def _has(path: Path, algorithm: str, checksum: str | None) -> bool:
    """Whether a file has this checksum; any has none."""
    if checksum is None:
        return True
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest() == checksum
    except OSError:
        return False


def _unfinished(
    name: str, settings: Mapping[str, Any], files: list[tuple[Path, int]], folders: Collection[Path]
) -> Iterator[Candidate]:
    # Browsers put letters or numbers behind the name; train_t3 is no such train.
    begins = re.compile(re.escape(_ENDING.sub("", settings["file"])) + r"[. (-]")
    sizes = dict(files)
    for path in [*sizes, *folders]:
        own = path.name == f"{settings['file']}.part" and path.with_name(f"{path.name}.json") in sizes
        if path.name.endswith(_UNFINISHED) and begins.match(path.name) and not own:
            if path.suffix == ".aria2" and path.with_suffix("") not in sizes:
                continue
            size = f" ({sizes[path]} bytes)" if path in sizes and path.suffix != ".aria2" else ""
            message = (
                f"{path}: a download of {settings['file']} that broke off{size}. It is not used. {_OF_ANOTHER_PROGRAM}"
            )
            yield Candidate(False, name, path, message)
