"""Getting an archive: the file that lies there, a link to one elsewhere, or a download."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from imagenet_prep import atomic
from imagenet_prep.errors import PrepError
from imagenet_prep.progress import Progress

ACCOUNT = (
    "Get the archive with your account from https://image-net.org/download-images (its terms apply), and put it there, "
    "or give a url in the configuration that may be read"
)
_CHUNK = 1 << 20
_TIMEOUT = (30, 120)


def fetch(archive: Path, url: str | Sequence[str] | None, local: str, link: Path) -> None:
    """Make `link` a symbolic link to the archive; download or copy it first where it is not there.

    An archive that lies at `archive` is used as it is, whatever `url` says, and never written to.

    Args:
        archive: where the archive lies or goes.
        url: where it comes from otherwise, several in order of preference: http, https, file, or a plain path.
        local: "link" or "copy", for what comes from a plain path or file URL.
        link: the link to make.

    Raises:
        PrepError: it is not there and cannot be had; names every source and its answer.
    """
    source = archive if archive.is_file() else _from_sources(archive, url, local)
    with atomic.replacing(link) as partial:
        partial.unlink(missing_ok=True)
        partial.symlink_to(source if source.is_absolute() else os.path.relpath(source, link.parent))


def _from_sources(archive: Path, url: str | Sequence[str] | None, local: str) -> Path:
    urls = [url] if isinstance(url, str) else list(url or [])
    if not urls:
        raise PrepError(archive, "the archive is not there, and the configuration gives no url for it", ACCOUNT)
    answers = []
    for source in urls:
        try:
            parts = urlsplit(source)
            if not parts.scheme:
                return _local(Path(source), archive, local)
            if parts.scheme == "file":
                return _local(Path(unquote(parts.path)), archive, local)
            return _download(source, archive)
        except ValueError as error:  # a URL that is none
            answers.append(f"{source} ({error})")
        except _NotThere as error:
            answers.append(f"{source} ({error})")
    raise PrepError(
        archive, f"the archive is not there, and could not be had from {' nor from '.join(answers)}", ACCOUNT
    )


class _NotThere(Exception):
    pass


def _local(source: Path, archive: Path, local: str) -> Path:
    if not source.is_file():
        raise _NotThere("no such file")
    if local == "link":
        return source
    with atomic.replacing(archive) as partial:
        shutil.copyfile(source, partial)
    return archive


def _download(url: str, archive: Path) -> Path:
    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != 200:
                raise _NotThere(f"HTTP {response.status_code} {response.reason}")
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise _NotThere("a web page came in its place, such as a login form")
            total = int(response.headers.get("Content-Length", 0))
            progress = Progress(f"downloading {archive.name}", total)
            with atomic.replacing(archive) as partial, open(partial, "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                    progress.advance(len(chunk))
                if total and progress.done != total:
                    raise _NotThere(f"the connection ended after {progress.done} of {total} bytes")
    except requests.exceptions.ChunkedEncodingError as error:
        raise _NotThere(f"the connection ended before all of its {total} bytes were there") from error
    except requests.RequestException as error:
        raise _NotThere(f"the connection failed: {_reason(error)}") from error
    return archive


def _reason(error: BaseException | None) -> str:
    """What the operating system said, somewhere below the errors that requests and urllib3 put around it."""
    outermost = type(error).__name__
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return outermost
