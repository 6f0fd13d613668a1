"""The files of an archive, or of a folder where somebody has unpacked it, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator

from imagenet_prep.errors import PrepError, reading
from imagenet_prep.formats import tar
from imagenet_prep.formats.tree import Walk


def read_files(path: str | os.PathLike[str], *, limit: int = 64 << 20) -> Iterator[tuple[tar.Member, bytes]]:
    """Yield each regular file with its content: of a plain or gzip-compressed tar in its order, of a folder by name.

    Raises:
        PrepError: as `tar.read_files`; a file of more than `limit` bytes, or a link that leads nowhere.
    """
    if not os.path.isdir(path):
        yield from tar.read_files(path, limit=limit)
        return
    for name in Walk(path):
        content = read_file(f"{os.fspath(path)}/{name}", limit)
        yield tar.Member(name, 0, len(content)), content


def read_file(path: str, limit: int) -> bytes:
    """The content of a file; raises `PrepError` where it has more bytes than the limit, or is a link to nowhere."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        if not os.path.islink(path):
            raise PrepError(path, "the file is not there", "Put it back where it was") from error
        problem = f"this is a link to {os.path.realpath(path)}, which is not there"
        raise PrepError(path, problem, "Mount that disk, or mend the link") from error
    try:
        with reading(path):
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise PrepError(path, f"a file of {size} bytes cannot be one of these", "Look at what it is")
            content = os.read(descriptor, size + 1)
            while len(content) < size and (more := os.read(descriptor, size - len(content))):
                content += more
            return content
    finally:
        os.close(descriptor)
