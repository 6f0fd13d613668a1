"""What a file system has left for this user, or a quota of which `quota` or `lfs quota` tells: bytes and files."""

from __future__ import annotations

import functools
import grp
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

USUAL_BLOCK = 4096
_BELIEVED_BLOCK = 1 << 16
_TIMEOUT = 10.0  # seconds; the server that `quota` asks may be gone

_QUOTA = re.compile(
    r"(?P<place>\S+) (?P<blocks>\d+)\*? (?P<soft>\d+) (?P<hard>\d+)(?: (?!\d+\*?(?: |$))\S+)?"
    r" (?P<files>\d+)\*? (?P<soft_files>\d+) (?P<hard_files>\d+)(?: \S+)?"
)


@dataclass(frozen=True)
class FileSystem:
    """A file system, as far as its free space goes.

    Attributes:
        device: the same number for all folders of one file system.
        place: the mount point.
        nbytes: bytes that this user may still fill; None where nobody knows.
        files: files and folders (inodes) that can still be made; None where nobody knows or there is no limit.
        block: bytes of which a file fills whole multiples.
        quota: whose quota leaves less than the file system has, in words; None where none does.
    """

    device: int
    place: Path
    nbytes: int | None
    files: int | None
    block: int = USUAL_BLOCK
    quota: str | None = None


@dataclass(frozen=True)
class Left:
    """What a quota leaves: bytes and files, None where it has no limit."""

    nbytes: int | None
    files: int | None


def file_system_at(folder: Path) -> FileSystem:
    """The file system of a folder, which need not exist yet; links are followed."""
    existing = nearest(folder)
    place = next(path for path in (existing, *existing.parents) if os.path.ismount(path) or path == path.parent)
    device = existing.stat().st_dev
    try:
        status = os.statvfs(existing)
    except OSError:
        return FileSystem(device, place, None, None)
    # File systems that make inodes as they need them count none; some network file systems count no blocks either.
    nbytes = status.f_bavail * status.f_frsize if status.f_blocks else None
    files = status.f_favail if status.f_files else None
    # Network and parallel file systems name the size of a transfer or stripe, which no small file fills.
    block = status.f_frsize if 0 < status.f_frsize <= _BELIEVED_BLOCK else USUAL_BLOCK
    quota = None
    for owner, left in _quotas(place, existing):
        if left.nbytes is not None and (nbytes is None or left.nbytes < nbytes):
            nbytes, quota = left.nbytes, owner
        if left.files is not None and (files is None or left.files < files):
            files, quota = left.files, owner
    return FileSystem(device, place, nbytes, files, block, quota)


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or in the one where it would be made."""
    return os.access(nearest(folder), os.W_OK | os.X_OK)


def parse_quotas(text: str) -> dict[str, Left]:
    """What the output of `quota -w` or `lfs quota` leaves, by file system as it names it.

    Both print, in units of 1024 bytes, a line `name blocks soft hard [grace] files soft hard [grace]` a file system,
    and break it behind a long name. Lines of any other form say nothing, and so do those with figures in brackets,
    which `lfs` could not find out for sure. The hard limits count, since up to them one can write (for days, at least);
    a soft limit counts where there is no hard one.
    """
    left = {}
    name = ""
    for line in text.splitlines():
        words = line.split()
        matched = _QUOTA.fullmatch(" ".join([name, *words] if name else words))
        name = words[0] if len(words) == 1 else ""
        if matched:
            numbers = {key: int(value) for key, value in matched.groupdict().items() if key != "place"}
            limit = numbers["hard"] or numbers["soft"]
            limit_files = numbers["hard_files"] or numbers["soft_files"]
            left[matched["place"]] = Left(
                max(0, limit - numbers["blocks"]) * 1024 if limit else None,
                max(0, limit_files - numbers["files"]) if limit_files else None,
            )
    return left


def nearest(folder: Path) -> Path:
    """A folder, links followed; of one that does not exist yet, the closest above it that does."""
    path = Path(os.path.realpath(folder))
    # Path.is_dir raises PermissionError, before Python 3.14, where this user may not search the folder above.
    return next(parent for parent in (path, *path.parents) if os.path.isdir(parent))


def _quotas(place: Path, folder: Path) -> list[tuple[str, Left]]:
    """The quotas on the files that this user makes in a folder: the user's own, and that of the files' group."""
    kind, source = _mounts().get(os.fspath(place), ("", ""))
    if not source:
        return []
    status = folder.stat()
    group = status.st_gid if status.st_mode & stat.S_ISGID else os.getegid()
    quotas = []
    for flag, owner, number in (("-u", "your quota", os.getuid()), ("-g", f"the quota of {_group(group)}", group)):
        if kind == "lustre":
            said = _output("lfs", "quota", flag, str(number), os.fspath(place))
        else:
            said = _output("quota", "-w", flag, *([_group(group)] if flag == "-g" else []))
        quotas += [(owner, left) for name, left in parse_quotas(said).items() if name in (source, os.fspath(place))]
    return quotas


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _mounts() -> dict[str, tuple[str, str]]:
    """Kind and source of every mounted file system by its mount point, as Linux tells them (man 5 proc)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return {}
    mounts = {}
    for line in lines:
        before, _, behind = line.partition(" - ")
        if len(before.split()) > 4 and len(behind.split()) > 1:
            mounts[_unescaped(before.split()[4])] = (behind.split()[0], _unescaped(behind.split()[1]))
    return mounts


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


@functools.cache
def _output(*command: str) -> str:
    """What a program prints; nothing where it is not there, fails to start or does not end."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
