"""The manifest, the list of what is published. It is written last: where it exists, all that it names exists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from imagenet_prep.errors import PrepError
from imagenet_prep.publish.digests import Digests

MANIFEST = "manifest.json"
UNFINISHED = "unfinished.json"  # in the same form, while a set is being changed: names of all files that may exist

_VERSION = 1  # of its form
_PUBLISHER = "imagenet-prep"


def manifest_of(files: Mapping[str, Digests]) -> dict[str, Any]:
    """The manifest of these files, by name; the same files make the same manifest."""
    return _document(
        {
            name: {"bytes": it.nbytes, "sha256": it.sha256, "md5": it.md5, "crc32c": it.crc32c}
            for name, it in sorted(files.items())
        }
    )


def unfinished_of(names: set[str]) -> dict[str, Any]:
    """The list that exists while a set is being changed: names alone, by which the next run knows its own files."""
    return _document({name: {} for name in sorted(names)})


def encoded(document: Mapping[str, Any]) -> bytes:
    """A manifest as it is written."""
    return (json.dumps(document, indent=1) + "\n").encode()


def names_in(content: bytes, place: str) -> set[str]:
    """The names of the files that a manifest lists.

    Raises:
        PrepError: this workflow did not write it.
    """
    try:
        document = json.loads(content)
        if document["publisher"] != _PUBLISHER:
            raise ValueError
        names = set(document["files"])
        if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in names):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        remedy = "Choose another folder, or move that file away if nobody needs it"
        raise PrepError(place, "something else has written this file, so others use this folder", remedy) from None
    return names


def _document(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"publisher": _PUBLISHER, "format_version": _VERSION, "files": dict(files)}
