"""Members of archives that are passed over: what systems leave among files, and what is no part of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

_NAMED = 3

# Of macOS, Windows, KDE and Synology, in all folders that they have shown.
_FILES = {".DS_Store", ".localized", "Icon\r", "Thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"}
_FOLDERS = {"__MACOSX", "@eaDir", ".Trashes", ".fseventsd", ".Spotlight-V100", ".TemporaryItems"}
_APPLE_DOUBLE = "._"


def is_left_by_a_system(name: str) -> bool:
    """Whether a file's name, with the folders above it, is one that a system gives to what it keeps for itself."""
    *folders, file = name.split("/")
    return file.startswith(_APPLE_DOUBLE) or file in _FILES or not _FOLDERS.isdisjoint(folders)


@dataclass
class PassedOver:
    """How many members were passed over.

    Attributes:
        count: all of them.
        first: the names of the first few.
    """

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        """Count a member."""
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(name)

    def __str__(self) -> str:
        """For people: how many, and which are the first."""
        members = "1 member that is" if self.count == 1 else f"{self.count} members that are"
        more = ", …" if self.count > len(self.first) else ""
        return f"{members} no part of the data set passed over: {', '.join(map(repr, self.first))}{more}"
