"""Stores of every kind to publish to, and something to publish."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagenet_prep.publish.address import Address
from imagenet_prep.publish.publication import Outcome, Publication
from imagenet_prep.publish.retries import Retries
from imagenet_prep.publish.stores import open_store
from publish import proxy, stores
from publish.places import S3, Folder, Google, Other, Place, Products

SECRET = "a-secret-that-belongs-nowhere"


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stores.moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stores.google(tmp_path_factory.mktemp("google")) as url:
        yield url


@pytest.fixture(autouse=True)
def _nobodys_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may use, or need, what whoever runs it has in files and variables."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # of the client itself, which waits in between


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with proxy.before(moto) as before:
        monkeypatch.setenv("AWS_ENDPOINT_URL", before.url)
        yield S3(moto, before)


@pytest.fixture
def google(google_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with proxy.before(google_server) as before:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", before.url)
        before.ways.append((lambda request: request.method == "DELETE" and "upload_id" in request.path, proxy.cancel))
        yield Google(google_server, before)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "published" / "here")


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture(params=["s3", "google", "folder", "other"])
def place(request: pytest.FixtureRequest) -> Place:
    """A place of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["s3", "google"])
def remote(request: pytest.FixtureRequest) -> Place:
    """A place of each kind that is reached over a network."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def products(tmp_path: Path) -> Products:
    made = Products(tmp_path / "results")
    random_bytes = random.Random(0).randbytes
    made.write(
        tfrecord__train_of_1=random_bytes(400_000),
        tfrecord__validation_of_1=random_bytes(100_001),
        tfrecord_index__train_of_1=b"0 400000\n",
        tables__images=random_bytes(5_000),
        labels__classes=b"\r\nindex,wnid\r\n\n",
        labels__empty=b"",
    )
    return made


@pytest.fixture
def publish(products: Products) -> Callable[[str], Outcome]:
    """Publishes the products to a URL, and wastes no time with waiting between attempts."""

    def run(url: str, attempts: int = 4) -> Outcome:
        retries = Retries(attempts=attempts, backoff=0)
        return Publication(products.folder, open_store(Address.parse(url)), retries).run()

    return run
