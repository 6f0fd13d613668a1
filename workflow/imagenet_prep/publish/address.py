"""Where to publish: the URL of a place in an object store, or a folder.

Imports are light, since the Snakefile looks at the address at every start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from imagenet_prep.errors import PrepError

KEY = "configuration key publish.url"
FOLDER = "file"

_FORM = "Write a URL such as gs://bucket/folder or s3://bucket/folder, or the path of a folder from / or ./ on"
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)
_SECRET = re.compile(r"[^/@]*:[^/@]*@|.*\?", re.DOTALL)  # user:password@host, or a query with a signature


@dataclass(frozen=True)
class Address:
    """A place that files are published to.

    Attributes:
        scheme: what stands before `://`; "file" for a folder.
        path: what stands after it, without a slash at the end: bucket and prefix, or the path of the folder.
        url: all of it, as it is shown; the path alone for a folder. There is no secret in it.
    """

    scheme: str
    path: str
    url: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take the configured URL, or path of a folder, apart.

        Raises:
            PrepError: it is neither; the error does not show what could be a secret.
        """
        matched = _URL.fullmatch(text)
        if not matched:
            if not text.startswith(("/", "./", "../")):  # what begins with a name could be meant as a bucket's
                raise PrepError(KEY, f"{text!r} is neither a URL nor the path of a folder", _FORM)
            return cls(FOLDER, text.rstrip("/") or "/", text.rstrip("/") or "/")
        scheme, path = matched[1], matched[2].rstrip("/")
        if _SECRET.match(path):
            remedy = "Leave it out: credentials come from the environment (config/README.md says which)"
            raise PrepError(KEY, "it holds a password, or a query that could be one", remedy)
        if scheme == FOLDER:
            path = unquote(path.removeprefix("localhost"))
            if not path.startswith("/"):
                raise PrepError(KEY, f"{text!r} names a folder of another machine", "Write file:// and a full path")
            return cls(FOLDER, path, path)
        if scheme in ("http", "https"):
            raise PrepError(KEY, "web servers take no files", _FORM)
        if not path or path.startswith("/") or "//" in path or "::" in path:
            raise PrepError(KEY, f"{text!r} is not a bucket and a folder in it", _FORM)
        return cls(scheme, path, f"{scheme}://{path}")

    def of(self, name: str) -> str:
        """The URL of a file below it."""
        return f"{self.url}/{name}"
