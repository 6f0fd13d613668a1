"""Files that appear whole or not at all: written beside their place, brought to the disk, then renamed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PARTIAL = ".partial"

_SYSTEM = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE = 2  # linux/fs.h


def partial_path(path: str | os.PathLike[str]) -> Path:
    """The hidden name beside `path` under which this process writes it (`.<name>.<host>-<process>.partial`).

    Of this process alone, since on a cluster two may be at the same file: a job is started again on another node when
    its own is taken for dead, and is not. Each then renames a whole file, with the same bytes.
    """
    path = Path(path)
    return path.with_name(f".{path.name}.{writer()}{PARTIAL}")


def is_partial(path: Path) -> bool:
    """Whether a file has such a name."""
    return path.match(f".*.*-*{PARTIAL}")


def writer() -> str:
    """What tells this process from all others that may write to the same file system."""
    return f"{socket.gethostname()}-{os.getpid()}"


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what processes of this machine that were killed had written of `path`."""
    path = Path(path)
    ours = f".{path.name}.{socket.gethostname()}-"
    for leftover in path.parent.glob(f"{glob.escape(ours)}*{PARTIAL}"):
        process = leftover.name.removeprefix(ours).removesuffix(PARTIAL)
        if process.isdecimal() and not is_alive(int(process)):
            leftover.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this machine has not ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of somebody else
        pass
    return True


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = True) -> Iterator[Path]:
    """Yield the path to write to; rename it to `path` when the block ends well, remove it when it does not.

    The parent folder is made. The yielded file need not be opened here, so that any writer can be used.

    Args:
        path: the file.
        durable: wait for the disk before the renaming, so that the file is whole after a power cut too. Without, for
            many small files, `settle` waits for all of them at once.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        if durable and not partial.is_symlink():
            _synchronize(partial)
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):  # what hindered the writing may hinder this too, and is the cause to tell
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and _is_about(error, partial):
            error.filename = os.fspath(path)
        raise


def move(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Rename a file; to another disk, where that cannot be done, copy it: `target` appears whole all the same."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(target) as partial:
            shutil.copyfile(source, partial)
        os.unlink(source)


def settle(folder: str | os.PathLike[str]) -> None:
    """Wait until all that was written to the file system of `folder` is on its disk.

    One wait for many files, where `fsync` would be one for each. Systems without syncfs(2) wait for all file systems.
    """
    if not hasattr(_SYSTEM, "syncfs"):
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if _SYSTEM.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(folder))
    finally:
        os.close(descriptor)


def begin_sync(descriptor: int) -> None:
    """Have the system bring to the disk what was written to a file, without waiting: `fsync` has less to do then.

    Systems without sync_file_range(2) do so in their own time.
    """
    if hasattr(_SYSTEM, "sync_file_range"):
        whole = ctypes.c_int64(0)  # offset, and no end
        _SYSTEM.sync_file_range(descriptor, whole, whole, ctypes.c_uint(_SYNC_FILE_RANGE_WRITE))


def sync_folder(folder: Path) -> None:
    """Force the names in a folder, and that others are gone, to the disk, where the file system can do that."""
    with contextlib.suppress(OSError):
        _synchronize(folder)


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_about(error: OSError, partial: Path) -> bool:
    """Whether an error names the partial file, or nothing and is one that only writing makes (as pyarrow raises it)."""
    if error.filename is None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
    return str(partial) in (str(error.filename), str(error.filename2))


def write_text(path: str | os.PathLike[str], text: str, *, durable: bool = True) -> None:
    r"""Write UTF-8 text with `\n` line ends, whole or not at all; `durable` as in `replacing`."""
    with replacing(path, durable=durable) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def link(path: str | os.PathLike[str], target: str) -> None:
    """Make a link, in place of one that is there."""
    with replacing(path) as partial:
        os.symlink(target, partial)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON, indented and with a final newline, keys in the order given, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def crc32c(path: str | os.PathLike[str]) -> str:
    """CRC-32C of a file's content in hexadecimal: ten times as quick as SHA-256."""
    import crc32c as checksums  # takes as long to import as all that most jobs need of this library

    checksum, buffer = 0, memoryview(bytearray(1 << 20))  # the same memory each time: new pages cost more than the sum
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            checksum = checksums.crc32c(buffer[:count], checksum)
    return f"{checksum:08x}"


def sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
