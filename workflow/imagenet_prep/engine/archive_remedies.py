"""What to do about an archive that was made by hand, in commands that can be typed as they stand.

They make another archive beside it, of what is in it, and need GNU tar.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import remedies
from imagenet_prep.formats.tar_end import repacked

DOWNLOAD_AGAIN = "Delete it and run again to have it downloaded, or get the right one and put it in its place"
DOWNLOAD_ON = (
    "Have its download continued (wget --continue, curl --continue-at -), or get it again and put it in its place"
)
ANOTHER = "Put it elsewhere, and the right one in its place, or run again to have that downloaded"

_HOW = "docs/archives.md says how"
_BY_HAND = {
    remedies.DAMAGED: f"It was made in another way than is read here, or is damaged: make it again ({_HOW})",
    remedies.CUT_OFF: f"It was not written, or not copied, to its end: make it or copy it again ({_HOW})",
    remedies.NO_ARCHIVE: f"Look at what it is, and put a tar in its place ({_HOW})",
    DOWNLOAD_AGAIN: f"Look at what is in it (tar tvf), and make it again ({_HOW})",
}
_RENAMED = r" --transform 's/\.jpe\?g$/.JPEG/i'"


@contextmanager
def made_by_hand(is_so: bool) -> Iterator[None]:
    """Have an error say what to do with an archive that somebody has made, who cannot get it again, where `is_so`."""
    try:
        yield
    except PrepError as error:
        remedy = _BY_HAND.get(error.remedy)
        if remedy is None or not is_so:
            raise
        raise PrepError(error.place, error.problem, remedy, member=error.member, offset=error.offset) from error


def unless_made_by_hand(name: str, remedy: str = DOWNLOAD_AGAIN) -> str:
    """What to do about another file than the official one, by the archive's name in the configuration."""
    return f"{remedy}. If you made it yourself, set md5, sha256 and bytes of archives.{name} to null"


def renamed(archive: str, *, class_tars: bool) -> str:
    """The command that makes an archive whose images end in `.JPEG`, whatever case or form of that they end in now."""
    if not class_tars:
        return repacked(archive, _RENAMED)
    again = f'tar -xf "$c" -C c && tar -cf "$c"{_RENAMED} -C c .'
    return _of_classes(
        archive, f"for c in *.tar; do mkdir c && {again} && rm -r c; done && tar -cf {_new(archive)} *.tar"
    )


def of_class_folders(archive: str) -> str:
    """The command that makes the archive of class tars out of one of class folders."""
    return _of_classes(
        archive,
        "for d in $(find . -type d -name 'n????????'); do tar -cf ${d##*/}.tar -C $d . || break; done && "
        f"tar -cf {_new(archive)} n*.tar",
    )


def _of_classes(archive: str, then: str) -> str:
    """A command that unpacks an archive and works in the folder where its classes are."""
    unpack = f"mkdir unpacked && tar -xf {shlex.quote(os.path.abspath(archive))} -C unpacked && cd unpacked"
    return f"`({unpack} && {then})`, then put {_new(archive)} in its place"


def _new(archive: str) -> str:
    return shlex.quote(f"{os.path.abspath(archive)}.new")
