"""A folder to publish to, such as a network drive or a mounted bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import file_system_at
from imagenet_prep.progress import grouped, shown_bytes
from imagenet_prep.publish.store import Found, Progress, Store

_BLOCK = 1 << 20
_HALF_SENT = f".*{atomic.PARTIAL}"


class Folder(Store):
    """A folder; it keeps no checksums, so that files are read back."""

    def files(self) -> dict[str, Found]:
        """All files, less those that are half-sent; none where nothing lies there yet."""
        paths = (path for path in self._root.rglob("*") if path.is_file() and not path.match(_HALF_SENT))
        return {path.relative_to(self._root).as_posix(): Found(path.stat().st_size) for path in paths}

    def file(self, name: str) -> Found | None:
        """One file."""
        path = self._root / name
        return Found(path.stat().st_size) if path.is_file() else None

    def expect_room(self, nbytes: int, files: int) -> None:
        """Raise `PrepError` where its file system, or a quota, has less."""
        left = file_system_at(self._root)
        lacking = []
        if left.nbytes is not None and nbytes > left.nbytes:
            lacking.append(f"{shown_bytes(nbytes)} are to be sent, and {shown_bytes(left.nbytes)} are free")
        if left.files is not None and files > left.files:
            lacking.append(f"{grouped(files)} files are to be sent, and {grouped(left.files)} can still be made")
        if lacking:
            remedy = f"Make room on {left.place}, or publish to a folder on another file system"
            raise PrepError(self._root, f"there is too little space: {'; '.join(lacking)}", remedy)

    def put(self, path: Path, name: str, progress: Progress) -> None:
        """Copy a local file; it appears whole."""
        sent = 0
        with atomic.replacing(self._root / name) as partial, open(path, "rb") as source, open(partial, "wb") as copy:
            while block := source.read(_BLOCK):
                copy.write(block)
                sent += len(block)
                progress(sent)

    def read(self, name: str) -> bytes:
        """The content of a small file."""
        return (self._root / name).read_bytes()

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file in hexadecimal."""
        return atomic.sha256(self._root / name)

    def remove(self, name: str) -> None:
        """Take a file away, if it is there, and the folder around it, if that is empty now."""
        path = self._root / name
        path.unlink(missing_ok=True)
        if path.parent != self._root:
            with contextlib.suppress(OSError):  # there is more in it, or it is not there
                path.parent.rmdir()

    def tidy(self, names: Iterable[str]) -> None:
        """Take away what killed processes of this machine have left of these files; those of others may be alive."""
        half = [(path.parent, path.name) for path in self._root.rglob(_HALF_SENT)]
        for path in (self._root / name for name in names):
            if any(folder == path.parent and found.startswith(f".{path.name}.") for folder, found in half):
                atomic.remove_leftovers(path)

    @property
    def _root(self) -> Path:
        return Path(self.address.path)
