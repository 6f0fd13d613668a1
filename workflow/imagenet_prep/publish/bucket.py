"""Stores that fsspec has a client for: S3 and what speaks like it, Google Cloud Storage, and any other."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from imagenet_prep.publish.address import Address
from imagenet_prep.publish.digests import PART, Digests
from imagenet_prep.publish.store import Found, Progress, Store
from imagenet_prep.publish.store_errors import failure_of


class Bucket(Store):
    """A store behind a client of fsspec, of whose checksums nothing is known: they are taken of what is read back."""

    def __init__(self, address: Address, client: Callable[..., Any]) -> None:
        super().__init__(address)
        with _explained():
            # A listing that is remembered would hide what has just been written, and a client that is remembered
            # what the environment says now.
            self._client = client(use_listings_cache=False, skip_instance_cache=True, **self._options())

    def _options(self) -> dict[str, Any]:
        return {}

    def files(self) -> dict[str, Found]:
        """All files; none where nothing lies there yet."""
        with _explained():
            entries = self._client.find(self._root, detail=True)
        start = len(self._root) + 1
        return {path[start:]: self._found(entry) for path, entry in entries.items() if len(path) > start}

    def file(self, name: str) -> Found | None:
        """One file."""
        with _explained():
            try:
                return self._found(self._client.info(self._path(name)))
            except FileNotFoundError:
                return None

    def put(self, path: Path, name: str, progress: Progress) -> None:
        """Send a local file; what lay under the name is replaced."""
        from fsspec.callbacks import Callback

        tell = Callback(hooks={"progress": lambda _, sent, **__: progress(sent)})
        with _explained(path):
            self._client.put_file(os.fspath(path), self._path(name), callback=tell, **self._sending())

    def _sending(self) -> dict[str, Any]:
        return {}

    def read(self, name: str) -> bytes:
        """The content of a small file."""
        with _explained():
            content: bytes = self._client.cat_file(self._path(name))
        return content

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file in hexadecimal, which is read for it."""
        digest = hashlib.sha256()
        with _explained(), self._client.open(self._path(name), "rb", block_size=PART) as file:
            while block := file.read(PART):  # not all clients' files can do what hashlib.file_digest wants of them
                digest.update(block)
        return digest.hexdigest()

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with _explained(), contextlib.suppress(FileNotFoundError):
            self._client.rm_file(self._path(name))

    def _found(self, entry: dict[str, Any]) -> Found:
        return Found(int(entry["size"]), {key: value for key, value in entry.items() if isinstance(value, str)})

    @property
    def _root(self) -> str:
        root: str = self._client._strip_protocol(self.address.url)
        return root

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class GoogleBucket(Bucket):
    """Google Cloud Storage, which keeps a CRC-32C of every object, and an MD5 of all that were not put together there.

    Source: the resource representation of Objects in the documentation of the JSON API.
    """

    def _options(self) -> dict[str, Any]:
        # With "google_default" missing credentials are an error, where the client would go on without any.
        emulated = os.environ.get("STORAGE_EMULATOR_HOST", "default") not in ("", "default")
        return {"token": "anon" if emulated else "google_default"}

    def _sending(self) -> dict[str, Any]:
        return {"chunksize": PART}

    def vouches(self, found: Found, digests: Digests) -> bool | None:
        """Whether the CRC-32C, and the MD5 where there is one, are the digests'."""
        expected = {"crc32c": digests.crc32c, "md5Hash": digests.md5}
        known = {name: value for name, value in expected.items() if name in found.checksums}
        same = [found.checksums[name] == _base64(value) for name, value in known.items()]
        return all(same) if same else None


class S3Bucket(Bucket):
    """S3, where the ETag is an MD5, or one of the parts' MD5s.

    It is neither where the bucket encrypts with keys of its own (SSE-KMS, SSE-C), and nothing says so in a listing. So
    an ETag can vouch for a file, and never against one.

    Source: "Checking object integrity" in the Amazon S3 User Guide.
    """

    def _options(self) -> dict[str, Any]:
        return {"anon": False}

    def _sending(self) -> dict[str, Any]:
        # The parts of one file go one after the other: several files go side by side, and memory stays small.
        return {"chunksize": PART, "max_concurrency": 1}

    def vouches(self, found: Found, digests: Digests) -> bool | None:
        """Whether the ETag is the digests'."""
        return found.checksums.get("ETag", "").strip('"') == digests.etag or None

    def tidy(self, names: Iterable[str]) -> None:
        """Abort what killed uploads of these files have left: nobody sees it, but its owner pays for it."""
        keys = {self._path(name).partition("/")[2] for name in names}
        # That may be forbidden, or unknown to a store that only speaks like S3; the upload goes on all the same.
        with contextlib.suppress(Exception):
            for left in self._client.list_multipart_uploads(self._root.partition("/")[0]):
                if left["Key"] in keys:
                    bucket = self._root.partition("/")[0]
                    self._client.call_s3(
                        "abort_multipart_upload", Bucket=bucket, Key=left["Key"], UploadId=left["UploadId"]
                    )


@contextlib.contextmanager
def _explained(source: Path | None = None) -> Iterator[None]:
    """Turn a client's errors into ours, less those about the local file that it reads."""
    try:
        yield
    except Exception as error:
        about = error.filename if isinstance(error, OSError) else None
        failure = failure_of(error)
        if failure is None or (about is not None and about == os.fspath(source or "")):
            raise
        raise failure from None  # a client's own words could hold what belongs into no log


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
