"""An address is a URL or a folder, has no secret in it, and needs a client that is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from imagenet_prep.errors import PrepError
from imagenet_prep.publish.address import Address
from imagenet_prep.publish.stores import expect_client


@pytest.mark.parametrize(
    ("text", "scheme", "path"),
    [
        ("gs://bucket/folder", "gs", "bucket/folder"),
        ("s3://bucket", "s3", "bucket"),
        ("s3://bucket/", "s3", "bucket"),
        ("gs://bucket/with a space/x/", "gs", "bucket/with a space/x"),
        ("abfs://container@account.dfs.core.windows.net/x", "abfs", "container@account.dfs.core.windows.net/x"),
        ("file:///mnt/share/", "file", "/mnt/share"),
        ("file:///mnt/with%20space", "file", "/mnt/with space"),
        ("file://localhost/mnt", "file", "/mnt"),
        ("/mnt/share", "file", "/mnt/share"),
        ("./share/imagenet/", "file", "./share/imagenet"),
        ("../share/12:30", "file", "../share/12:30"),
    ],
)
def test_what_is_a_url_and_what_a_folder(text: str, scheme: str, path: str) -> None:
    address = Address.parse(text)
    assert (address.scheme, address.path) == (scheme, path)


@pytest.mark.parametrize(
    "text",
    [
        "bucket/folder",
        "gs:/bucket",
        "s3:bucket/folder",
        "gs://",
        "s3:///folder",
        "s3://bucket//folder",
        "file://elsewhere/folder",
        "https://example.org/folder",
        "simplecache::s3://bucket/folder",
    ],
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(PrepError, match=r"configuration key publish\.url: .*Write "):
        Address.parse(text)


@pytest.mark.parametrize("text", ["s3://key:hidden@bucket/folder", "gs://bucket/x?token=hidden", "sftp://me:hidden@x/"])
def test_a_secret_in_it_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(PrepError, match="credentials come from the environment") as caught:
        Address.parse(text)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("s3", "fsspec")])
def test_a_missing_client_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, scheme: str, package: str) -> None:
    # Clients that were imported stay known to fsspec.
    for name in [name for name in sys.modules if name.partition(".")[0] in ("fsspec", "s3fs", "gcsfs")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PrepError, match=package) as caught:
        expect_client(f"{scheme}://bucket/folder")
    assert "pip install --requirement envs/lock-publish.txt" in str(caught.value)


def test_the_lock_with_the_clients_is_there(checkout: Path) -> None:
    assert (checkout / "envs" / "lock-publish.txt").is_file()


def test_a_scheme_that_nobody_knows_is_told() -> None:
    with pytest.raises(PrepError, match="there is no client of gss://"):
        expect_client("gss://bucket/folder")


def test_a_folder_needs_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    expect_client("/mnt/share")
