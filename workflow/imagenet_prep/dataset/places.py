"""Where an archive goes, and where one lies that needs no download.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from imagenet_prep.download import partial
from imagenet_prep.room import is_writable


def place_of(archive: Path, spare: Path) -> Path:
    """Where an archive is downloaded or copied to, which is not there.

    Into its own folder, if that is writable, else into the folder `spare`; but where only the spare one has a part of
    it, the download goes on there.
    """
    other = spare / archive.name
    begun = [os.path.exists(partial.path_of(place)) for place in (archive, other)]
    return other if begun == [False, True] or not is_writable(archive.parent) else archive


def is_local(url: str) -> bool:
    """Whether what a source has is linked or copied, and not downloaded."""
    return url.startswith("file:")


def local_path(url: str) -> Path | None:
    """The path that a file URL means; None where it is none."""
    try:
        return Path(unquote(urlsplit(url).path))
    except ValueError:
        return None
