"""What lies among the archives, and what a search there finds of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from builders import tar
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_search import Candidate, find

VAL = "ILSVRC2012_img_val.tar"
TRAIN = "ILSVRC2012_img_train.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
CONTENT = tar({"ILSVRC2012_val_00000001.JPEG": b"an image"})


def settings(file: str, content: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """What the configuration says of an archive: of that content, if it is known."""
    md5 = hashlib.md5(content).hexdigest() if content is not None else None
    size = len(content) if content is not None else None
    return {"file": file, "md5": md5, "sha256": None, "bytes": size, "unpacked_sha256": None, "url": None} | changes


def put(path: Path, content: bytes = b"") -> Path:
    """A file, in folders that need not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def val_in(folder: Path, content: bytes | None = CONTENT, **changes: Any) -> list[Candidate]:
    """What a search for the validation archive finds."""
    return find(folder, {"val": settings(VAL, content, **changes)}, ILSVRC2012)


def only(found: list[Candidate]) -> Candidate:
    """The one thing that was found, told in one line that begins with its place."""
    (candidate,) = found
    assert "\n" not in candidate.message
    assert candidate.message.startswith(os.fspath(candidate.path))
    return candidate
