"""Which store an address leads to, and whether what is installed can reach it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from imagenet_prep.errors import PrepError
from imagenet_prep.publish.address import FOLDER, KEY, Address
from imagenet_prep.publish.bucket import Bucket, GoogleBucket, S3Bucket
from imagenet_prep.publish.folder import Folder
from imagenet_prep.publish.store import Store

_BUCKETS: dict[str, type[Bucket]] = {"s3": S3Bucket, "s3a": S3Bucket, "gs": GoogleBucket, "gcs": GoogleBucket}


def open_store(address: Address) -> Store:
    """The store of an address.

    Raises:
        PrepError: its client is not installed, or there is none.
        Refused: there are no credentials.
    """
    if address.scheme == FOLDER:
        return Folder(address)
    return _BUCKETS.get(address.scheme, Bucket)(address, _client_of(address.scheme))


def expect_client(url: str) -> None:
    """Look whether a configured URL, or folder, can be published to with what is installed.

    Raises:
        PrepError: no.
    """
    scheme = Address.parse(url).scheme
    if scheme != FOLDER:
        _client_of(scheme)


def _client_of(scheme: str) -> Callable[..., Any]:
    # Else gcsfs asks over gRPC first of what kind a bucket is, which takes another port, and a right that few have.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    for name in ("aiobotocore", "botocore", "gcsfs", "google", "s3fs"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # this program tells of errors itself, and once
    try:
        import fsspec

        client: Callable[..., Any] = fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        remedy = f"Install the package that fsspec needs for {scheme}://"
        if scheme in _BUCKETS:
            remedy = f"Install it: {sys.executable} -m pip install --requirement envs/lock-publish.txt"
        raise PrepError(KEY, f"the client of {scheme}:// is not installed ({error})", remedy) from None
    except ValueError:
        remedy = "Write gs://, s3://, the path of a folder, or another scheme that fsspec knows"
        raise PrepError(KEY, f"there is no client of {scheme}://", remedy) from None
    return client
