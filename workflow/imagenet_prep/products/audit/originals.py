"""What is known of files as they were made: by the receipts of what made them, and by the last audit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.checksums import read_sums
from imagenet_prep.engine import receipts
from imagenet_prep.engine.receipts import STATE, Name
from imagenet_prep.errors import AGAIN, PrepError


class Originals:
    """The files that jobs have made, each with size and checksum, and the folders, with the number of their files.

    A job that makes a file anew first removes every older receipt of it. So a receipt that exists is of the file that
    was made last, and a file that differs from it was changed by somebody, or by the disk.

    Args:
        output_dir: that is looked at.
        steps: whose receipts count.
    """

    def __init__(self, output_dir: Path, steps: Collection[str]) -> None:
        self.output_dir = output_dir
        self._steps = sorted(steps)

    @cached_property
    def damaged(self) -> list[PrepError]:
        """Receipts that cannot be read."""
        return [it for _, _, it in self._bodies if isinstance(it, PrepError)]

    @cached_property
    def files(self) -> dict[str, Mapping[str, Any]]:
        """By path below the output folder, `bytes` and `sha256` or `crc32c` of each file that was made."""
        return {path: of for _, _, body in self._read() for path, of in body.get("files", {}).items()}

    @cached_property
    def recorded(self) -> dict[str, str]:
        """The SHA-256 that the last audit wrote down, by path below the output folder; none where there are none.

        Raises:
            PrepError: it is no list of checksums.
        """
        return read_sums(self.output_dir)

    def of(self, step: str, subject: str) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
        """The files and the folders that a step has made of a split, or of all; by path below the output folder."""
        files: dict[str, Mapping[str, Any]] = {}
        folders: dict[str, Mapping[str, Any]] = {}
        for of, name, body in self._read():
            if of == step and name.split == subject:
                files |= body.get("files", {})
                folders |= body.get("folders", {})
        return files, folders

    def made_by(self, step: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The files that a step has made, by path below the output folder; not those of the workflow's own."""
        for of, _, body in self._read():
            if of == step:
                yield from (it for it in body.get("files", {}).items() if not it[0].startswith(f"{STATE}/"))

    def is_changed(self, name: str, sha256: str | None = None, crc32c: str | None = None) -> bool:
        """Whether a file with these checksums differs from the one that was made; False where that is not known.

        In a folder that was copied without receipts, what the last audit saw counts.
        """
        made = self.files.get(name)
        if made is None:
            return sha256 is not None and self.recorded.get(name, sha256) != sha256
        if sha256 is not None and "sha256" in made:
            return bool(made["sha256"] != sha256)
        return crc32c is not None and bool(made.get("crc32c", crc32c) != crc32c)

    def is_as_made(self, name: str, made: Mapping[str, Any]) -> bool:
        """Whether a file that is there is the one that was made; reads it."""
        path = self.output_dir / name
        if path.stat().st_size != made.get("bytes"):
            return False
        if "sha256" in made:
            return bool(atomic.sha256(path) == made["sha256"])
        return "crc32c" not in made or bool(atomic.crc32c(path) == made["crc32c"])

    def _read(self) -> Iterator[tuple[str, Name, receipts.Body]]:
        return ((step, name, body) for step, name, body in self._bodies if not isinstance(body, PrepError))

    @cached_property
    def _bodies(self) -> list[tuple[str, Name, receipts.Body | PrepError]]:
        found: list[tuple[str, Name, receipts.Body | PrepError]] = []
        for step in self._steps:
            folder = self.output_dir / STATE / step
            for name in receipts.names(folder):
                try:
                    found.append((step, name, _checked(folder / str(name))))
                except PrepError as error:
                    found.append((step, name, error))
        return found


def _checked(path: Path) -> receipts.Body:
    body = receipts.load(path)
    for of in ("files", "folders"):
        entries = body.get(of, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise PrepError(path, f"the file is damaged (its {of} are no such list)", AGAIN)
    return body
