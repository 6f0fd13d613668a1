"""A network that fails, a store that refuses: the set arrives whole, or the run ends and says what to do."""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_prep.errors import PrepError
from imagenet_prep.publish import publication
from imagenet_prep.publish.address import Address
from imagenet_prep.publish.publication import Outcome
from imagenet_prep.publish.stores import open_store
from publish import proxy, stores
from publish.conftest import SECRET
from publish.places import S3, Folder, Place, Products

Publish = Callable[..., Outcome]
LARGE = 33 << 20  # goes in three parts

PASSING = {
    "a store that is too busy": proxy.unavailable,
    "a connection that is cut": proxy.cut,
    "an answer that gets lost": proxy.lose_answer,
    "a bit that changes": proxy.damage,
}


def is_large(request: proxy.Request) -> bool:
    """Whether a request brings the largest of the products, or a part of it."""
    return request.sends and request.nbytes >= 400_000


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_overcome(remote: Place, products: Products, publish: Publish, fault: str) -> None:
    remote.proxy.misbehave(PASSING[fault], is_large)
    publish(remote.url)
    assert remote.proxy.faults == [], "it must have happened"
    assert {**remote.contents(), "manifest.json": b""} == {**products.published, "manifest.json": b""}


@pytest.mark.parametrize("fault", PASSING)
def test_a_large_file_outlasts_what_passes(remote: Place, products: Products, publish: Publish, fault: str) -> None:
    products.write(tfrecord__train_of_1=random.Random(1).randbytes(LARGE))
    parts = 0

    def is_second_part(request: proxy.Request) -> bool:
        nonlocal parts
        parts += is_large(request)
        return parts == 2 and is_large(request)

    remote.proxy.misbehave(PASSING[fault], is_second_part)
    publish(remote.url)
    assert remote.proxy.faults == [], "it must have happened"
    assert remote.content("tfrecord/train-of-1") == products.files["tfrecord/train-of-1"]
    assert publish(remote.url).sent == []


def test_a_listing_that_fails_is_asked_for_again(remote: Place, publish: Publish) -> None:
    publish(remote.url)
    remote.proxy.misbehave(proxy.unavailable, lambda request: request.method == "GET" and "prefix" in request.path)
    assert publish(remote.url).sent == []
    assert remote.proxy.faults == [], "it must have happened"


def test_content_that_changes_each_time_is_told_and_no_manifest_written(remote: Place, publish: Publish) -> None:
    remote.proxy.misbehave(proxy.damage, is_large, times=None)
    with pytest.raises(PrepError, match="train-of-1: what arrived there is not what was sent"):
        publish(remote.url)
    assert "manifest.json" not in remote.names()


def test_a_store_that_stays_busy_is_given_up_in_the_end(s3: S3, publish: Publish) -> None:
    s3.proxy.misbehave(proxy.unavailable, is_large, times=None)
    with pytest.raises(PrepError, match=r"train-of-1: .*reduce your request rate.*Run the same command again later"):
        publish(s3.url, attempts=2)
    s3.proxy.faults.clear()
    there = s3.names()
    assert {"tables/images", "tfrecord/train-of-1"} - there == {"tfrecord/train-of-1"}
    assert "tables/images" not in publish(s3.url).sent


def test_a_large_file_goes_to_s3_in_parts(s3: S3, products: Products, publish: Publish) -> None:
    products.write(tfrecord__train_of_1=random.Random(1).randbytes(LARGE))
    publish(s3.url)
    head = s3.client.head_object(Bucket=stores.BUCKET, Key=f"{s3.prefix}/tfrecord/train-of-1")
    assert head["ETag"].strip('"').endswith("-3")
    read = [request for request in s3.proxy.requests if request.reads]
    assert read == [], "the ETag of the parts is enough"


def test_what_killed_uploads_left_is_taken_away_and_nothing_of_others(s3: S3, publish: Publish) -> None:
    def left() -> set[str]:
        listing = s3.client.list_multipart_uploads(Bucket=stores.BUCKET, Prefix=s3.prefix)
        return {upload["Key"].removeprefix(s3.prefix + "/") for upload in listing.get("Uploads", [])}

    for name in ("tfrecord/train-of-1", "of-others"):
        s3.client.create_multipart_upload(Bucket=stores.BUCKET, Key=f"{s3.prefix}/{name}")
    assert left() == {"tfrecord/train-of-1", "of-others"}
    publish(s3.url)
    assert left() == {"of-others"}


def test_a_store_that_tells_no_leftovers_is_published_to(s3: S3, products: Products, publish: Publish) -> None:
    s3.proxy.misbehave(proxy.denied, lambda request: request.path.endswith("?uploads") and request.method == "GET")
    publish(s3.url)
    assert s3.names() == {*products.published, "manifest.json"}


KILLED = """
import os, signal, sys
from pathlib import Path
from imagenet_prep.publish.address import Address
from imagenet_prep.publish.stores import open_store
source, url, name = sys.argv[1:]
open_store(Address.parse(url)).put(Path(source), name, lambda nbytes: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_what_killed_publications_left_in_a_folder_is_taken_away_and_nothing_of_others(
    folder: Folder, products: Products, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    library = Path(publication.__file__).parents[2]
    for name in ("tfrecord/train-of-1", "manifest.json", "unfinished.json"):
        source = products.folder / "tables" / "images"
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, source, folder.url, name],
            env={**os.environ, "PYTHONPATH": str(library)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    assert len(folder.names()) == 3
    of_others = {f"tfrecord/.train-of-1.{writer}.partial" for writer in ("elsewhere-1", f"{socket.gethostname()}-1")}
    for name in of_others:
        folder.write(name, b"half")
    caplog.set_level(logging.INFO)
    publish(folder.url)
    assert folder.names() == {*products.published, "manifest.json"} | of_others
    assert "other files" not in caplog.text


# What does not pass


@pytest.fixture
def told(publish: Publish, caplog: pytest.LogCaptureFixture) -> Callable[[str], str]:
    """Publishes in vain; the one line that says why."""

    def run(url: str) -> str:
        with pytest.raises(PrepError) as caught:
            publish(url)
        line = str(caught.value)
        assert "\n" not in line
        assert SECRET not in line + caplog.text
        assert "Traceback" not in caplog.text
        return line

    return run


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_a_bucket_that_does_not_exist_is_told(s3: S3, google: Place, told: Callable[[str], str], scheme: str) -> None:
    line = told(f"{scheme}://no-such-bucket/folder")
    assert line.startswith(f"{scheme}://no-such-bucket/folder")
    assert "there is no such bucket or folder" in line
    assert "Make that bucket, or correct the configuration key publish.url" in line


def test_a_right_that_is_missing_is_told_before_anything_has_changed(
    remote: Place, publish: Publish, products: Products, told: Callable[[str], str]
) -> None:
    publish(remote.url)
    before = remote.contents()
    products.write(tables__images=b"new")
    remote.proxy.misbehave(proxy.denied, lambda request: request.method in ("PUT", "POST", "DELETE"), times=None)
    line = told(remote.url)
    assert "it does not let you do this" in line
    assert "Let its owner give you the right" in line
    assert remote.contents() == before


def test_credentials_that_are_not_accepted_are_told(s3: S3, told: Callable[[str], str]) -> None:
    s3.proxy.misbehave(proxy.unknown, lambda request: True, times=None)
    line = told(s3.url)
    assert "it does not accept the credentials" in line
    assert "AWS_ACCESS_KEY_ID" in line


def test_no_credentials_for_s3_are_told(s3: S3, told: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    line = told(s3.url)
    assert "there are no credentials for it" in line
    assert "AWS_PROFILE" in line


def test_missing_credentials_for_google_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagenet_prep.publish.store_errors import Refused

    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    with pytest.raises(Refused, match="there are no credentials for it") as caught:
        open_store(Address.parse("gs://bucket/folder"))
    assert "gcloud auth application-default login" in caught.value.remedy


def test_a_store_that_cannot_be_reached_is_told(told: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the port "discard", where nobody listens
    line = told("s3://bucket/folder")
    assert "the transfer failed" in line
    assert "Run the same command again later" in line


def test_a_file_in_the_place_of_the_folder_is_the_operating_systems_to_tell(folder: Folder, publish: Publish) -> None:
    folder.folder.parent.mkdir()
    folder.folder.write_bytes(b"a file, not a folder")
    with pytest.raises(OSError, match="File exists") as caught:
        publish(folder.url)
    assert str(folder.folder) in str(caught.value.filename)
