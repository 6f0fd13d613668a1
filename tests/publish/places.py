"""Places to publish to, looked at by other means than the workflow's, and products to publish."""

from __future__ import annotations

import hashlib
import itertools
import json
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import boto3
import fsspec

from publish import proxy, stores

_numbers = itertools.count()


class Place(ABC):
    """A place to publish to, looked at by other means than the workflow's."""

    url: str
    proxy: proxy.Proxy

    @abstractmethod
    def names(self) -> set[str]:
        """The names of all files there."""

    @abstractmethod
    def content(self, name: str) -> bytes:
        """What is in a file."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Put a file there."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Take a file away."""

    def contents(self) -> dict[str, bytes]:
        return {name: self.content(name) for name in self.names()}


class S3(Place):
    """A folder in a bucket of moto's server; what is published goes through a proxy."""

    def __init__(self, server: str, before: proxy.Proxy) -> None:
        self.proxy = before
        self.prefix = f"data sets/{next(_numbers)}"
        self.url = f"s3://{stores.BUCKET}/{self.prefix}"
        keys = {"aws_access_key_id": "other", "aws_secret_access_key": "other", "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=server, **keys)
        self.client.create_bucket(Bucket=stores.BUCKET)

    def names(self) -> set[str]:
        listing = self.client.list_objects_v2(Bucket=stores.BUCKET, Prefix=self.prefix + "/")
        return {entry["Key"].removeprefix(self.prefix + "/") for entry in listing.get("Contents", [])}

    def content(self, name: str) -> bytes:
        return self.client.get_object(Bucket=stores.BUCKET, Key=f"{self.prefix}/{name}")["Body"].read()

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=stores.BUCKET, Key=f"{self.prefix}/{name}", Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=stores.BUCKET, Key=f"{self.prefix}/{name}")


class Google(Place):
    """A folder in a bucket of the emulator of Google's store; what is published goes through a proxy."""

    def __init__(self, server: str, before: proxy.Proxy) -> None:
        self.proxy = before
        self.prefix = f"data/{next(_numbers)}"
        self.url = f"gs://{stores.BUCKET}/{self.prefix}"
        self.objects = f"{server}/storage/v1/b/{stores.BUCKET}/o"
        self.uploads = f"{server}/upload/storage/v1/b/{stores.BUCKET}/o"

    def listing(self) -> dict[str, Any]:
        """What the store says of its files, by their names."""
        query = urllib.parse.urlencode({"prefix": self.prefix + "/"})
        with urllib.request.urlopen(f"{self.objects}?{query}") as answer:
            items = json.load(answer).get("items", [])
        return {item["name"].removeprefix(self.prefix + "/"): item for item in items}

    def names(self) -> set[str]:
        return set(self.listing())

    def content(self, name: str) -> bytes:
        with urllib.request.urlopen(f"{self._object(name)}?alt=media") as answer:
            return answer.read()

    def write(self, name: str, content: bytes) -> None:
        query = urllib.parse.urlencode({"uploadType": "media", "name": f"{self.prefix}/{name}"})
        headers = {"Content-Type": "application/octet-stream"}
        urllib.request.urlopen(urllib.request.Request(f"{self.uploads}?{query}", content, headers)).close()

    def delete(self, name: str) -> None:
        urllib.request.urlopen(urllib.request.Request(self._object(name), method="DELETE")).close()

    def _object(self, name: str) -> str:
        return f"{self.objects}/{urllib.parse.quote(f'{self.prefix}/{name}', safe='')}"


class Folder(Place):
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = str(folder)

    def names(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}

    def content(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink()


class Other(Place):
    """A store that fsspec knows, of whose checksums nothing is known: here the memory of this process."""

    def __init__(self) -> None:
        self.url = f"memory://place{next(_numbers)}/folder"
        self.system = fsspec.filesystem("memory")

    def names(self) -> set[str]:
        root = self.system._strip_protocol(self.url)
        return {name.removeprefix(f"{root}/") for name in self.system.find(root)}

    def content(self, name: str) -> bytes:
        return self.system.cat_file(f"{self.url}/{name}")

    def write(self, name: str, content: bytes) -> None:
        self.system.pipe_file(f"{self.url}/{name}", content)

    def delete(self, name: str) -> None:
        self.system.rm_file(f"{self.url}/{name}")


class Products:
    """An output folder that an audit has seen: a few files, and the list of their checksums."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}

    def write(self, **changes: bytes | None) -> None:
        """Set some files, by keys such as `labels__classes`, and have them audited; None: take it away."""
        for key, content in changes.items():
            name = key.replace("__", "/").replace("_of_", "-of-")
            if content is None:
                (self.folder / name).unlink()
                del self.files[name]
            else:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_bytes(content)
                self.files[name] = content
        lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(self.files.items())]
        (self.folder / "SHA256SUMS").write_text("".join(lines))

    @property
    def published(self) -> dict[str, bytes]:
        """What is to be found where it was published, but for the manifest."""
        return {**self.files, "SHA256SUMS": (self.folder / "SHA256SUMS").read_bytes()}
